import type { MaybePromise, Project, Role, VisibleTo } from "#catalog";

/** What may be done with a repository's content. `delete` is not part of `push`. */
export type RepositoryAction = "pull" | "push" | "delete";

/**
 * What may be done with a project itself. `robots` is for robots that only pull; `robots-writing` for all of them;
 * `members` for members below owner; `owners` for owners too.
 */
export type ProjectPermission =
  | "view"
  | "members-view"
  | "members"
  | "owners"
  | "robots"
  | "robots-writing"
  | "describe"
  | "visibility"
  | "delete";

/** Who is asking. Robots of a project carry its name; site robots pull over the projects named in their rows. */
export type Principal =
  | { readonly kind: "anonymous" }
  | { readonly kind: "user"; readonly id: number; readonly name: string; readonly admin: boolean }
  | {
      readonly kind: "robot";
      readonly id: number;
      readonly name: string;
      readonly project: string | undefined;
      readonly canPush: boolean;
      readonly canDelete: boolean;
    };

/** An authenticated (or anonymous) caller of one request. */
export interface Caller {
  readonly principal: Principal;
  /** The token or robot secret that was used; undefined for a password and for anonymous. */
  readonly tokenId: number | undefined;
  /** When this proof ends, milliseconds since 1970; undefined when it does not end by itself. */
  readonly expiresAt: number | undefined;
  /** A Bearer token's limit: repository name → actions. undefined means no limit beyond the caller's rights. */
  readonly grants: ReadonlyMap<string, ReadonlySet<RepositoryAction>> | undefined;
  /** True when it may list the catalog: a known account, and no Bearer token without `registry:catalog:*`. */
  readonly catalog: boolean;
  /** For a password: when it was last changed. A Bearer token made from it carries this. */
  readonly passwordChangedAt: number | undefined;
}

/** One scope of a token request: `repository:NAME:ACTIONS` or `registry:catalog:*`. */
export interface Scope {
  readonly type: "repository" | "registry";
  readonly name: string;
  readonly actions: readonly string[];
}

/** What the token endpoint answers. Never a refresh token: Docker would keep it as an identity token and blank the password. */
export interface MintedToken {
  readonly token: string;
  readonly expiresInSeconds: number;
  readonly issuedAt: Date;
}

/** Decides who may do what; knows no HTTP beyond the text of an Authorization header. */
export interface Access {
  /**
   * Who sent this Authorization header; anonymous when there is none. Answers at once for the secrets of tokens and robots,
   * and for Bearer tokens and passwords that were checked before; later for others (signature, slow hash).
   * What it answers holds under the access mark that was current before the call, and until `expiresAt`. Inside `Catalog.read`
   * it must be the first that reads: it takes the mark itself, and a mark is older than what it covers.
   * Whoever remembers it does so for a minute at most, so that a token's last use stays true.
   * Throws UNAUTHORIZED, CREDENTIAL_EXPIRED, CREDENTIAL_REVOKED, ACCOUNT_DISABLED, and for passwords TOO_MANY_REQUESTS
   * and BUSY, both with `details.retryAfterSeconds`. `address` is the client's, for throttling.
   */
  authenticate(authorization: string | undefined, address: string): MaybePromise<Caller>;
  /**
   * The one decision of a registry request. Returns when allowed. Throws UNAUTHORIZED for anonymous, PROJECT_UNKNOWN for a
   * proven stranger to a private project (the same words as for a project that is not there), DENIED for a member
   * without the right, INSUFFICIENT_SCOPE when the caller could but this Bearer token does not cover it.
   */
  authorize(caller: Caller, action: RepositoryAction, repository: string): void;
  /** True where `authorize` would return; never throws for a refusal. For mounts and lists. */
  allows(caller: Caller, action: RepositoryAction, repository: string): boolean;
  /**
   * Whose list of repositories a caller may see in the catalog: all, or those of the projects that this account may pull from.
   * Throws UNAUTHORIZED for anonymous, INSUFFICIENT_SCOPE for a Bearer token without `registry:catalog:*`.
   */
  catalogView(caller: Caller): VisibleTo;
  /** A Bearer token for what is both asked and allowed; a smaller set is no error. Lives 10 minutes, never beyond the caller's proof. */
  mint(caller: Caller, scopes: readonly Scope[]): Promise<MintedToken>;
  /**
   * The one decision of the management API about a project, by the rules of `authorize`; gives the project.
   * Robots and Bearer tokens manage nothing: DENIED.
   */
  authorizeProject(caller: Caller, permission: ProjectPermission, project: string): Project;
  /** True where `authorizeProject` would return. */
  allowsProject(caller: Caller, permission: ProjectPermission, project: string): boolean;
  /** Checks the password of a user, throttled like a sign-in. Throws like `authenticate`. */
  checkPassword(username: string, password: string, address: string): Promise<void>;
  /** Writes what is queued (last use of tokens). */
  close(): Promise<void>;
}

export type { Role };
