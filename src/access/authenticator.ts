import type { AccountState, Catalog, MaybePromise, TokenProof } from "#catalog";
import { AppError } from "#core";
import type { Clock } from "#system";
import { parseAuthorization } from "./authorization-header.ts";
import { type BearerClaims, type BearerTokens, invalidBearer } from "./bearer-tokens.ts";
import type { Caller, Principal } from "./contract.ts";
import { ExpiringMap } from "./expiring-map.ts";
import type { LastUse } from "./last-use.ts";
import { type PasswordChecker, wrongLogin } from "./password-checker.ts";
import { hashTokenSecret, isTokenSecret } from "./token-secret.ts";

const MAX_REMEMBERED = 5_000;
// Longer Bearer tokens (dozens of scopes) are checked each time: memory must not be the sender's choice.
const MAX_REMEMBERED_CHARS = 4_096;

/** The caller that sends no login. */
export const ANONYMOUS: Caller = {
  principal: { kind: "anonymous" },
  tokenId: undefined,
  expiresAt: undefined,
  grants: undefined,
  catalog: false,
  passwordChangedAt: undefined,
};

/** Turns an Authorization header into a caller. See `Access.authenticate`. */
export function createAuthenticator(options: {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly passwords: PasswordChecker;
  readonly bearers: BearerTokens;
  readonly lastUse: LastUse;
}): (authorization: string | undefined, address: string) => MaybePromise<Caller> {
  const { catalog, clock, passwords, bearers, lastUse } = options;
  // By header, under the access mark: a change of any account, token, project or member ends all of them.
  const callers = new ExpiringMap<{ readonly mark: number; readonly caller: Caller }>(
    MAX_REMEMBERED,
    ({ mark, caller }) =>
      mark !== catalog.generations.accessMark() ||
      (caller.expiresAt !== undefined && caller.expiresAt <= clock.now()),
  );
  // By token: a signature once checked stays right; whether its holder still is somebody is asked at each change.
  const verified = new ExpiringMap<BearerClaims>(
    MAX_REMEMBERED,
    (claims) => claims.expiresAt * 1000 <= clock.now(),
  );

  function remember(header: string, mark: number, caller: Caller): Caller {
    if (header.length <= MAX_REMEMBERED_CHARS) callers.set(header, { mark, caller });
    return noteUse(caller);
  }

  function noteUse(caller: Caller): Caller {
    if (caller.tokenId !== undefined) lastUse.note(caller.tokenId, clock.now());
    return caller;
  }

  function callerOfSecret(header: string, username: string | undefined, secret: string): Caller {
    const mark = catalog.generations.accessMark();
    const hash = hashTokenSecret(secret);
    const proof = catalog.read(() => catalog.tokens.proofByHash(hash));
    if (proof === undefined || (username !== undefined && username !== proof.account.name))
      throw wrongLogin();
    checkToken(proof, clock.now());
    return remember(header, mark, {
      principal: toPrincipal(proof.account),
      tokenId: proof.tokenId,
      expiresAt: proof.expiresAt,
      grants: undefined,
      catalog: true,
      passwordChangedAt: undefined,
    });
  }

  function callerOfClaims(header: string, claims: BearerClaims): Caller {
    const mark = catalog.generations.accessMark();
    const { principal, expiresAt } = catalog.read(() => holderOf(claims));
    const ends = claims.expiresAt * 1000;
    return remember(header, mark, {
      principal,
      tokenId: claims.tokenId,
      expiresAt: Math.min(ends, expiresAt ?? ends),
      grants: claims.grants,
      catalog: claims.catalog,
      passwordChangedAt: claims.passwordChangedAt,
    });
  }

  function holderOf(claims: BearerClaims): { principal: Principal; expiresAt: number | undefined } {
    if (claims.expiresAt * 1000 <= clock.now()) throw invalidBearer();
    if (claims.accountId === undefined) return { principal: { kind: "anonymous" }, expiresAt: undefined };
    if (claims.tokenId !== undefined) {
      const proof = catalog.tokens.proofById(claims.tokenId);
      if (proof === undefined || proof.account.id !== claims.accountId) throw invalidBearer();
      checkToken(proof, clock.now());
      return { principal: toPrincipal(proof.account), expiresAt: proof.expiresAt };
    }
    const account = catalog.tokens.account(claims.accountId);
    if (account === undefined) throw invalidBearer();
    if (account.disabled) throw accountDisabled();
    if (account.passwordChangedAt !== claims.passwordChangedAt)
      throw new AppError("CREDENTIAL_REVOKED", "the password was changed since this Bearer token was made", {
        hint: "sign in again with the new password",
      });
    return { principal: toPrincipal(account), expiresAt: undefined };
  }

  function callerOfBearer(header: string, token: string): MaybePromise<Caller> {
    const claims = verified.get(token);
    if (claims !== undefined) return callerOfClaims(header, claims);
    return bearers.verify(token).then((fresh) => {
      if (token.length <= MAX_REMEMBERED_CHARS) verified.set(token, fresh);
      return callerOfClaims(header, fresh);
    });
  }

  return (authorization, address) => {
    if (authorization === undefined || authorization === "") return ANONYMOUS;
    const known = callers.get(authorization);
    if (known !== undefined && known.mark === catalog.generations.accessMark()) {
      const { expiresAt } = known.caller;
      if (expiresAt === undefined || clock.now() < expiresAt) return noteUse(known.caller);
    }
    const credentials = parseAuthorization(authorization);
    if (credentials.scheme === "bearer")
      return isTokenSecret(credentials.token)
        ? callerOfSecret(authorization, undefined, credentials.token)
        : callerOfBearer(authorization, credentials.token);
    const { username, password } = credentials;
    if (isTokenSecret(password)) return callerOfSecret(authorization, username, password);
    const row = passwords.remembered(username, password);
    if (row !== undefined) return callerOfPassword(row);
    return passwords.check(username, password, address).then(callerOfPassword);
  };
}

function callerOfPassword(row: {
  readonly id: number;
  readonly name: string;
  readonly admin: boolean;
  readonly disabled: boolean;
  readonly changedAt: number;
}): Caller {
  if (row.disabled) throw accountDisabled();
  return {
    principal: { kind: "user", id: row.id, name: row.name, admin: row.admin },
    tokenId: undefined,
    expiresAt: undefined,
    grants: undefined,
    catalog: true,
    passwordChangedAt: row.changedAt,
  };
}

/** The caller has shown the secret, so it may learn why it is refused. */
function checkToken(proof: TokenProof, now: number): void {
  if (proof.revokedAt !== undefined)
    throw new AppError(
      "CREDENTIAL_REVOKED",
      `this token was revoked on ${new Date(proof.revokedAt).toISOString()}`,
      { hint: "make a new token, and put it where this one was" },
    );
  if (proof.expiresAt !== undefined && proof.expiresAt <= now)
    throw new AppError(
      "CREDENTIAL_EXPIRED",
      `this token expired on ${new Date(proof.expiresAt).toISOString()}`,
      { hint: "make a new token, and put it where this one was" },
    );
  if (proof.account.disabled) throw accountDisabled();
}

function accountDisabled(): AppError {
  return new AppError("ACCOUNT_DISABLED", "this user or robot is disabled", {
    hint: "ask an admin of the registry, or a maintainer of the robot's project, to enable it",
  });
}

function toPrincipal(account: AccountState): Principal {
  const { id, name, kind, admin, project, canPush, canDelete } = account;
  return kind === "user" ? { kind, id, name, admin } : { kind, id, name, project, canPush, canDelete };
}
