import { createRegistryClient, type LoginClient, type LoginProof, type RateLimit } from "#client";
import { type AppError, type Context, type Secret, toAppError } from "#core";
import type { Login, SecretReader } from "#logins";
import type { Fetch } from "#system";
import { readCa } from "./consumer-logins.ts";

/** What is said of a login's expiry: gone, or close enough that somebody should renew it. */
export type Expiry = "expired" | "expires soon" | "later" | "never";

/** Two weeks: enough for a person to notice it before the cluster does. */
const SOON_MS = 14 * 24 * 3600 * 1000;

export interface LoginStatus {
  readonly login: Login;
  /** When its secret ends, by wharf.yaml or by who made it. */
  readonly expires: Date | undefined;
  readonly expiry: Expiry;
  /** What the registry says now; undefined where it was not asked. */
  readonly proof: LoginProof | undefined;
  /** How many pulls Docker Hub still allows it; undefined where that was not asked, or has no limit. */
  readonly rateLimit: RateLimit | undefined;
  /** Why it could not be shown to be good: refused, unreachable, no secret. */
  readonly error: AppError | undefined;
}

/** Is anything wrong with it that somebody should mend. */
export function isLoginOff(status: LoginStatus): boolean {
  return status.error !== undefined || status.expiry === "expired" || status.rateLimit?.remaining === 0;
}

/** Asks the registry of each login whether it is good, a few at a time. Each gets an answer; nothing is thrown for one of them. */
export async function proveLogins(
  context: Context,
  logins: readonly Login[],
  ask: {
    readonly fetch: Fetch;
    readonly now: Date;
    readonly secrets: Pick<SecretReader, "read" | "readExpires">;
    /** How long before its end a login is said to expire soon; two weeks where nothing is said. */
    readonly soonMs?: number;
    /** Ask Docker Hub for its limits too. */
    readonly rateLimits?: boolean;
  },
): Promise<readonly LoginStatus[]> {
  const statuses: LoginStatus[] = [];
  for (let at = 0; at < logins.length; at += 8) {
    const batch = logins.slice(at, at + 8).map(async (login): Promise<LoginStatus> => {
      let { expires } = login;
      const said = (more: Pick<LoginStatus, "proof" | "error" | "rateLimit">): LoginStatus => {
        // A token that lives for hours is made anew in time, and is nothing to renew by hand.
        const soonMs = login.source.kind === "exchange" ? 0 : ask.soonMs;
        return { login, expires, expiry: expiryOf({ expires }, ask.now, soonMs), ...more };
      };
      try {
        const client = await clientOf(login, await ask.secrets.read(login), ask.fetch);
        expires = await ask.secrets.readExpires(login);
        const proof = await client.proveLogin(context);
        const rateLimit = ask.rateLimits === true ? await client.readRateLimit(context) : undefined;
        return said({ proof, rateLimit, error: undefined });
      } catch (cause) {
        return said({ proof: undefined, rateLimit: undefined, error: toAppError(cause) });
      }
    });
    statuses.push(...(await Promise.all(batch)));
  }
  return statuses;
}

/** A client that shows this login to its registry. */
export async function clientOf(
  login: Pick<Login, "name" | "registry" | "username" | "plainHttp" | "caFile" | "identityToken"> & {
    /** PEM of the private CA, where it is in no file yet. */
    readonly ca?: string;
  },
  secret: Secret,
  fetch: Fetch,
): Promise<LoginClient> {
  const ca = login.ca ?? (login.caFile === undefined ? undefined : await readCa(login, login.caFile));
  return createRegistryClient({
    registry: login.registry,
    fetch,
    credentials: { username: login.username, secret, identityToken: login.identityToken },
    ...(login.plainHttp ? { plainHttp: true } : {}),
    ...(ca === undefined ? {} : { ca }),
  });
}

export function expiryOf(login: Pick<Login, "expires">, now: Date, soonMs: number = SOON_MS): Expiry {
  if (login.expires === undefined) return "never";
  const left = login.expires.getTime() - now.getTime();
  if (left <= 0) return "expired";
  return left < soonMs ? "expires soon" : "later";
}
