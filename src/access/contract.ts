import type { MaybePromise } from "#catalog";

/** What may be done with a repository's content. `delete` is not part of `push`. */
export type RepositoryAction = "pull" | "push" | "delete";

/** Roles of a member, weakest first. */
export type Role = "guest" | "developer" | "maintainer" | "owner";

/** Who is asking. Robots of a project carry its name; site robots pull over the projects named in their rows. */
export type Principal =
  | { readonly kind: "anonymous" }
  | { readonly kind: "user"; readonly id: number; readonly name: string; readonly admin: boolean }
  | {
      readonly kind: "robot";
      readonly id: number;
      readonly name: string;
      readonly project: string | undefined;
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
   * Who sent this Authorization header; anonymous when there is none. Answers at once for Bearer tokens and
   * for secrets of tokens and robots, later for passwords (slow hash).
   * Throws UNAUTHORIZED, CREDENTIAL_EXPIRED, CREDENTIAL_REVOKED, ACCOUNT_DISABLED, TOO_MANY_REQUESTS.
   * `address` is the client's, for throttling.
   */
  authenticate(authorization: string | undefined, address: string): MaybePromise<Caller>;
  /**
   * The one decision of a registry request. Returns when allowed. Throws UNAUTHORIZED for anonymous, PROJECT_UNKNOWN for a
   * proven stranger to a private project (the same words as for a project that is not there), DENIED for a member
   * without the right, INSUFFICIENT_SCOPE when the caller could but this Bearer token does not cover it.
   */
  authorize(caller: Caller, action: RepositoryAction, repository: string): MaybePromise<void>;
  /** True where `authorize` would return; never throws for a refusal. For mounts and lists. */
  allows(caller: Caller, action: RepositoryAction, repository: string): MaybePromise<boolean>;
  /** A Bearer token for what is both asked and allowed; a smaller set is no error. */
  mint(caller: Caller, scopes: readonly Scope[]): MaybePromise<MintedToken>;
}
