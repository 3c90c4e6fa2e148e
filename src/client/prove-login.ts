import { AppError, type Context, isAppError } from "#core";
import type { Connection } from "./connection.ts";
import type { Credentials } from "./contract.ts";
import { refusal } from "./registry-error.ts";
import { type BearerScheme, basicAuthorization } from "./token-exchange.ts";

/** What a real exchange with the registry says of a login. */
export interface LoginProof {
  /**
   * `proved`: the registry does for this login what it refuses to anonymous, or names its account.
   * `accepted-unproved`: it took the login, but gives the same to anybody, so it may not have looked at it.
   */
  readonly outcome: "proved" | "accepted-unproved";
  /** Hosts of the token endpoints, without port: what a netrc must name, and what to pin. Empty for Basic. */
  readonly realmHosts: readonly string[];
  /** How it was shown, in words. */
  readonly detail: string;
  /** The account that the registry's token names, where it can be read. */
  readonly account?: string;
  /** When the login ends, where the registry says it (ours does). */
  readonly expiresAt?: Date;
}

/**
 * Proves the connection's login by the exchange that programs do: `GET /v2/`, challenge, token, `GET /v2/` with it. Never sends a guess.
 * Throws LOGIN_REFUSED, LOGIN_NOT_PROVED where the registry asks nobody for a login, and what any request throws.
 */
export async function proveLogin(context: Context, connection: Connection): Promise<LoginProof> {
  const { credentials, registry } = connection;
  if (credentials === undefined) throw new AppError("INTERNAL", "there is no login to prove");
  const { auth, realmHosts } = await connection.ping(context);
  if (auth.kind === "none") {
    throw new AppError(
      "LOGIN_NOT_PROVED",
      `${registry} lets anybody in, so nothing can be said of this login`,
      {
        hint: "check the registry's name, or whether it has access control at all",
        details: { registry },
      },
    );
  }
  if (auth.kind === "basic") {
    await askWith(context, connection, basicAuthorization(credentials));
    const detail = "the registry refuses anonymous and took the username and secret";
    return { outcome: "proved", realmHosts, detail };
  }
  return { realmHosts, ...(await proveBearer(context, connection, auth, credentials)) };
}

async function proveBearer(
  context: Context,
  connection: Connection,
  scheme: BearerScheme,
  credentials: Credentials,
): Promise<Omit<LoginProof, "realmHosts">> {
  const own = await connection.exchange(context, scheme, { scopes: [], credentials });
  await askWith(context, connection, `Bearer ${own.token}`);
  const account = subjectOf(own.token);
  const named = {
    ...(account === undefined ? {} : { account }),
    ...(own.loginExpiresAt === undefined ? {} : { expiresAt: own.loginExpiresAt }),
  };
  const anonymous = await anonymousToken(context, connection, scheme);
  if (anonymous === undefined) {
    return { outcome: "proved", detail: "the token endpoint refuses anonymous and took the login", ...named };
  }
  const answer = await connection.sendWith(context, "/v2/", `Bearer ${anonymous}`);
  await answer.discard();
  if (answer.status === 401 || answer.status === 403) {
    return { outcome: "proved", detail: "an anonymous token is refused, the login's is not", ...named };
  }
  if (account !== undefined && account !== subjectOf(anonymous)) {
    return { outcome: "proved", detail: `the registry's token is made out to ${account}`, ...named };
  }
  const detail = "the registry took the login, but gives tokens to anonymous too";
  return { outcome: "accepted-unproved", detail, ...named };
}

async function askWith(context: Context, connection: Connection, authorization: string): Promise<void> {
  const answer = await connection.sendWith(context, "/v2/", authorization);
  if (answer.status === 200) return answer.discard();
  const { registry, credentials } = connection;
  throw await refusal(answer, { registry, doing: "GET /v2/ with the login", credentials });
}

/** undefined where the endpoint refuses anonymous. */
async function anonymousToken(
  context: Context,
  connection: Connection,
  scheme: BearerScheme,
): Promise<string | undefined> {
  try {
    return (await connection.exchange(context, scheme, { scopes: [], credentials: undefined })).token;
  } catch (error) {
    // 400: endpoints that want an account or a scope. Whatever it is, anonymous got nothing.
    const status = isAppError(error) ? error.details?.status : undefined;
    if (isAppError(error, "UNAUTHORIZED") || status === 400) return undefined;
    throw error;
  }
}

/** The subject of a JWT, unverified: only to be shown and compared. Empty for anonymous (distribution token specification). */
function subjectOf(token: string): string | undefined {
  const payload = token.split(".")[1];
  if (payload === undefined) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, "base64url").toString("utf8"));
    const subject = typeof claims === "object" && claims !== null && "sub" in claims ? claims.sub : undefined;
    const isName = typeof subject === "string" && /^[\x21-\x7e]{1,200}$/.test(subject);
    return isName ? subject : undefined;
  } catch {
    return undefined; // An opaque token: its registry alone can read it.
  }
}
