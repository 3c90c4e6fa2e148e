import { AppError, type Context } from "#core";
import type { FetchAnswer } from "#system";
import type { AuthScheme, Credentials, RegistryAnswer, RegistryRequest } from "./contract.ts";
import { printable, refusal } from "./registry-error.ts";

/** A Bearer token. Kept in memory alone, never printed. */
export interface BearerToken {
  readonly token: string;
  /** Milliseconds since 1970, by our clock. */
  readonly expiresAtMs: number;
  /** When the login that it was made from ends; only a Wharfinger registry says it. */
  readonly loginExpiresAt?: Date;
}

export type BearerScheme = Extract<AuthScheme, { kind: "bearer" }>;

/** What the exchange needs: how to ask, and whose endpoint may see the login. */
export interface TokenDoor {
  readonly registry: string;
  readonly realmHosts: readonly string[] | undefined;
  readonly now: () => number;
  readonly ask: (
    context: Context,
    url: URL,
    request: Pick<RegistryRequest, "method" | "headers" | "body" | "isSecret">,
  ) => Promise<RegistryAnswer>;
}

const MAX_BODY_BYTES = 1_048_576;
/** Clients take a token for valid this long whatever it says (distribution token documentation). */
const LEAST_SECONDS = 60;
const MOST_SECONDS = 86_400;
const EARLY_MS = 5000;

/**
 * A token for the scopes: GET with Basic, POST for identity tokens and for endpoints that do not know GET. Anonymous without credentials.
 * Throws LOGIN_REFUSED or UNAUTHORIZED with the endpoint's own words, REGISTRY_FAILED where the answer holds no token.
 */
export async function exchangeToken(
  context: Context,
  door: TokenDoor,
  scheme: BearerScheme,
  wanted: { readonly scopes: readonly string[]; readonly credentials: Credentials | undefined },
): Promise<BearerToken> {
  const { credentials } = wanted;
  if (credentials !== undefined) checkPinned(door, scheme.realm);
  let answer =
    credentials?.identityToken === true
      ? await post(context, door, scheme, { ...wanted, credentials })
      : await get(context, door, scheme, wanted);
  const isUnknown = answer.status === 404 || answer.status === 405;
  if (isUnknown && credentials !== undefined && credentials.identityToken !== true) {
    await answer.discard();
    answer = await post(context, door, scheme, { ...wanted, credentials });
  }
  if (answer.status !== 200) throw await refused(answer, door, scheme, credentials);
  return parseToken(await answer.readBytes(MAX_BODY_BYTES), scheme, door.now());
}

async function get(
  context: Context,
  door: TokenDoor,
  scheme: BearerScheme,
  wanted: { readonly scopes: readonly string[]; readonly credentials: Credentials | undefined },
): Promise<RegistryAnswer> {
  const url = new URL(scheme.realm);
  if (scheme.service !== undefined) url.searchParams.set("service", scheme.service);
  for (const scope of wanted.scopes) url.searchParams.append("scope", scope);
  url.searchParams.set("client_id", "wharf");
  if (wanted.credentials === undefined) return door.ask(context, url, { method: "GET" });
  if (wanted.credentials.username !== "") url.searchParams.set("account", wanted.credentials.username);
  const authorization = basicAuthorization(wanted.credentials);
  return door.ask(context, url, { method: "GET", headers: { authorization } });
}

async function post(
  context: Context,
  door: TokenDoor,
  scheme: BearerScheme,
  wanted: { readonly scopes: readonly string[]; readonly credentials: Credentials },
): Promise<RegistryAnswer> {
  const { credentials } = wanted;
  const form = new URLSearchParams({ client_id: "wharf" });
  if (scheme.service !== undefined) form.set("service", scheme.service);
  if (wanted.scopes.length > 0) form.set("scope", wanted.scopes.join(" "));
  if (credentials.identityToken === true) {
    form.set("grant_type", "refresh_token");
    form.set("refresh_token", credentials.secret.reveal());
  } else {
    form.set("grant_type", "password");
    form.set("username", credentials.username);
    form.set("password", credentials.secret.reveal());
  }
  return door.ask(context, scheme.realm, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: form.toString(),
    isSecret: true,
  });
}

/** `Basic …` of a login (RFC 7617, UTF-8). Secret: for the header alone. */
export function basicAuthorization(credentials: Credentials): string {
  const pair = `${credentials.username}:${credentials.secret.reveal()}`;
  return `Basic ${Buffer.from(pair, "utf8").toString("base64")}`;
}

function checkPinned(door: TokenDoor, realm: URL): void {
  if (door.realmHosts === undefined || door.realmHosts.includes(realm.hostname)) return;
  throw new AppError(
    "REGISTRY_FAILED",
    `${door.registry} now names ${printable(realm.hostname)} as its token endpoint; the login was not sent there`,
    {
      hint: "if the registry's operator moved it, log in again",
      details: { registry: door.registry, realmHost: realm.hostname },
    },
  );
}

async function refused(
  answer: FetchAnswer,
  door: TokenDoor,
  scheme: BearerScheme,
  credentials: Credentials | undefined,
): Promise<AppError> {
  const doing = `the token request at ${scheme.realm.host}`;
  const error = await refusal(answer, { registry: door.registry, doing, credentials });
  // RFC 6749 §5.2: an OAuth2 endpoint says 400 to a refresh token or password that is no good.
  const isRefused = error.code === "DENIED" || (answer.status === 400 && credentials !== undefined);
  if (!isRefused) return error;
  return new AppError(credentials === undefined ? "UNAUTHORIZED" : "LOGIN_REFUSED", error.message, {
    details: error.details ?? {},
    hint: "check the username and the secret, and whether it has expired",
  });
}

function parseToken(bytes: Uint8Array, scheme: BearerScheme, nowMs: number): BearerToken {
  const unusable = (): AppError =>
    new AppError(
      "REGISTRY_FAILED",
      `the token endpoint ${scheme.realm.host} answered without a usable token`,
    );
  let body: unknown;
  try {
    body = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw unusable();
  }
  if (typeof body !== "object" || body === null) throw unusable();
  const {
    token: plain,
    access_token: access,
    expires_in: expiresIn,
    wharf_login_expires_at: loginEnd,
  } = body as Record<string, unknown>;
  const token = typeof plain === "string" && plain !== "" ? plain : access;
  // What goes into a header must be one: RFC 6750 §2.1, and never a line break.
  if (typeof token !== "string" || !/^[\x21-\x7e]{1,65536}$/.test(token)) throw unusable();
  const said = typeof expiresIn === "number" && expiresIn > 0 ? expiresIn : LEAST_SECONDS;
  const seconds = Math.min(Math.max(said, LEAST_SECONDS), MOST_SECONDS);
  const loginExpiresAt =
    typeof loginEnd === "string" && loginEnd.length < 40 ? new Date(loginEnd) : undefined;
  return {
    token,
    expiresAtMs: nowMs + seconds * 1000 - EARLY_MS,
    ...(loginExpiresAt === undefined || Number.isNaN(loginExpiresAt.getTime()) ? {} : { loginExpiresAt }),
  };
}
