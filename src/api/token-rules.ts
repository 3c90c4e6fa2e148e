import { type Caller, createTokenSecret } from "#access";
import type { Catalog, Token } from "#catalog";
import { AppError, parseName, type Secret } from "#core";

const DAY_MS = 86_400_000;

/** Days that a token lives when nobody says. */
export const DEFAULT_USER_TOKEN_DAYS = 90;
export const DEFAULT_ROBOT_TOKEN_DAYS = 365;

export interface Lifetime {
  /** null: for ever; undefined: nobody said. */
  readonly days: number | null | undefined;
  readonly defaultDays: number;
  readonly now: number;
}

/** When a token made now ends, milliseconds since 1970; undefined when it never does. */
export function expiryOf({ days, defaultDays, now }: Lifetime): number | undefined {
  return days === null ? undefined : now + (days ?? defaultDays) * DAY_MS;
}

/**
 * When a token that a caller makes for a user ends: never after the token that the caller uses, so that a leaked one cannot
 * prolong itself. Throws DENIED when more was asked for.
 */
export function expiryWithin(caller: Caller, lifetime: Lifetime): number | undefined {
  const wanted = expiryOf(lifetime);
  const limit = caller.expiresAt;
  if (limit === undefined || (wanted !== undefined && wanted <= limit)) return wanted;
  if (lifetime.days === undefined) return limit;
  throw new AppError(
    "DENIED",
    `a token cannot make one that outlives it: it ends on ${new Date(limit).toISOString()}`,
    {
      hint: "sign in with the password, or ask for fewer days",
    },
  );
}

/** Makes a token inside a write transaction. The secret is in the answer and nowhere else. */
export function createToken(
  catalog: Catalog,
  token: {
    readonly accountId: number;
    readonly name: string;
    readonly now: number;
    readonly expiresAt: number | undefined;
  },
): { readonly token: Token; readonly secret: Secret } {
  const { secret, hash } = createTokenSecret();
  const made = catalog.tokens.create({
    accountId: token.accountId,
    name: parseName("token", token.name),
    hash,
    createdAt: token.now,
    expiresAt: token.expiresAt,
  });
  return { token: made, secret };
}

/** A token's id in a path; undefined when it cannot be one. */
export function parseTokenId(text: string): number | undefined {
  return /^[1-9][0-9]{0,14}$/.test(text) ? Number(text) : undefined;
}

export function tokenUnknown(): AppError {
  return new AppError("NOT_FOUND", "there is no such token of this account", {
    hint: "list the tokens to see their ids",
  });
}
