import type { Catalog, Standing } from "#catalog";
import { type Logger, silentLogger } from "#core";
import { type Clock, systemClock } from "#system";
import { ANONYMOUS, createAuthenticator } from "./authenticator.ts";
import { createBearerTokens } from "./bearer-tokens.ts";
import type { Access, Caller, Principal, RepositoryAction, Scope } from "./contract.ts";
import { createLastUse } from "./last-use.ts";
import { createPasswordChecker } from "./password-checker.ts";
import { denied, insufficientScope, loginNeeded, projectUnknown, robotDenied } from "./refusals.ts";
import { mayAct, mayManage, maySee } from "./rules.ts";

const BEARER_SECONDS = 600;
const MAX_SCOPES = 100;
const MAX_NAME_CHARS = 512;
const ACTIONS: readonly RepositoryAction[] = ["pull", "push", "delete"];

export interface AccessOptions {
  readonly catalog: Catalog;
  readonly clock?: Clock;
  readonly log?: Logger;
  /** The audience of Bearer tokens: what the challenge calls `service`. */
  readonly service?: string;
}

/** Access over a catalog. Close it before the catalog. */
export function createAccess(options: AccessOptions): Access {
  const { catalog, clock = systemClock, log = silentLogger, service = "wharf" } = options;
  const passwords = createPasswordChecker(catalog, clock);
  const lastUse = createLastUse(catalog, log);
  const bearers = createBearerTokens({
    sealedSecrets: catalog.sealedSecrets,
    service,
    now: () => clock.now(),
  });
  const authenticate = createAuthenticator({ catalog, clock, passwords, bearers, lastUse });

  function standingOf(principal: Principal, project: string): Standing | undefined {
    const accountId = principal.kind === "anonymous" ? 0 : principal.id;
    return catalog.read(() => catalog.members.standing(accountId, project));
  }

  /** Throws what is wrong; that nothing is thrown is the permission. */
  function authorize(caller: Caller, action: RepositoryAction, repository: string): void {
    const { principal } = caller;
    const project = projectOf(repository);
    const standing = standingOf(principal, project);
    if (standing !== undefined && mayAct(principal, standing, action)) {
      if (isGranted(caller, action, repository, standing)) return;
      throw insufficientScope(`${action} ${repository}`);
    }
    if (principal.kind === "anonymous") throw loginNeeded();
    if (standing === undefined || !maySee(principal, standing)) throw projectUnknown(project);
    throw (principal.kind === "robot" ? robotDenied : denied)(`${action} ${repository}`);
  }

  function allows(caller: Caller, action: RepositoryAction, repository: string): boolean {
    const standing = standingOf(caller.principal, projectOf(repository));
    return (
      standing !== undefined &&
      mayAct(caller.principal, standing, action) &&
      isGranted(caller, action, repository, standing)
    );
  }

  function grantsOf(caller: Caller, scopes: readonly Scope[]): Map<string, Set<RepositoryAction>> {
    const grants = new Map<string, Set<RepositoryAction>>();
    for (const { type, name, actions } of scopes) {
      if (type !== "repository" || name.length > MAX_NAME_CHARS) continue;
      const asked = actions.includes("*") ? ACTIONS : ACTIONS.filter((action) => actions.includes(action));
      const granted = asked.filter((action) => allows(caller, action, name));
      if (granted.length > 0) grants.set(name, new Set([...(grants.get(name) ?? []), ...granted]));
    }
    return grants;
  }

  return {
    authenticate,
    authorize,
    allows,
    catalogView(caller) {
      const { principal } = caller;
      if (principal.kind === "anonymous") throw loginNeeded();
      if (!caller.catalog) throw insufficientScope("list the catalog");
      return principal.kind === "user" && principal.admin ? "all" : { accountId: principal.id };
    },
    async mint(caller, scopes) {
      const { principal, tokenId, passwordChangedAt } = caller;
      const asked = scopes.slice(0, MAX_SCOPES);
      const grants = catalog.read(() => grantsOf(caller, asked));
      const issuedAt = Math.floor(clock.now() / 1000);
      const ends = caller.expiresAt === undefined ? Infinity : Math.floor(caller.expiresAt / 1000);
      const expiresAt = Math.min(issuedAt + BEARER_SECONDS, ends);
      const token = await bearers.sign({
        accountId: principal.kind === "anonymous" ? undefined : principal.id,
        tokenId,
        passwordChangedAt,
        grants,
        catalog: caller.catalog && asked.some(({ type, name }) => type === "registry" && name === "catalog"),
        issuedAt,
        expiresAt,
      });
      return {
        token,
        expiresInSeconds: Math.max(0, expiresAt - issuedAt),
        issuedAt: new Date(issuedAt * 1000),
      };
    },
    authorizeProject(caller, permission, name) {
      const { principal } = caller;
      return catalog.read(() => {
        const standing = standingOf(principal, name);
        const project = catalog.projects.find(name);
        if (standing !== undefined && project !== undefined && mayManage(principal, standing, permission)) {
          // A Bearer token is for the registry; it must not be more than it says (CVE class GHSA-cc8w).
          if (caller.grants === undefined) return project;
          throw denied("manage projects with a Bearer token of the registry");
        }
        if (principal.kind === "anonymous") throw loginNeeded();
        if (standing === undefined || !maySee(principal, standing)) throw projectUnknown(name);
        throw denied(`do this in the project ${name}`);
      });
    },
    allowsProject(caller, permission, name) {
      const standing = standingOf(caller.principal, name);
      return (
        standing !== undefined &&
        caller.grants === undefined &&
        mayManage(caller.principal, standing, permission)
      );
    },
    async checkPassword(username, password, address) {
      await passwords.check(username, password, address);
    },
    close: () => lastUse.flush(),
  };
}

/** The project is the first component of a repository's name. */
function projectOf(repository: string): string {
  const slash = repository.indexOf("/");
  return slash === -1 ? repository : repository.slice(0, slash);
}

/** What everybody may do needs no grant: a Bearer token for one repository pulls from public ones too. */
function isGranted(
  caller: Caller,
  action: RepositoryAction,
  repository: string,
  standing: Standing,
): boolean {
  if (caller.grants === undefined) return true;
  if (mayAct(ANONYMOUS.principal, standing, action)) return true;
  return caller.grants.get(repository)?.has(action) ?? false;
}
