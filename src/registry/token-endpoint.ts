import type { Access, Caller, Scope } from "#access";
import { AppError } from "#core";
import { MAX_SCOPES, MAX_TOKEN_FORM_BYTES } from "./limits.ts";
import { readBody } from "./read-body.ts";
import { json } from "./success.ts";

/**
 * The token endpoint: GET with Basic authentication, or POST of a form (distribution's token documents). Gives what is both asked and
 * allowed, to anonymous callers what is public. Never a refresh token. UNAUTHORIZED and its kin for a wrong login.
 */
export async function answerToken(access: Access, request: Request, address: string): Promise<Response> {
  const isForm = request.method === "POST";
  const fields = isForm ? await readForm(request) : new URLSearchParams(queryOf(request.url));
  const authorization = request.headers.get("authorization") ?? (isForm ? basicOf(fields) : undefined);
  if (authorization !== undefined && !/^basic /i.test(authorization))
    throw new AppError("UNAUTHORIZED", "the token endpoint takes a username and a password or token", {
      hint: "send them by Basic authentication",
    });
  const caller: Caller = await access.authenticate(authorization, address);
  const scopes = parseScopes(fields.getAll("scope"));
  const minted = await access.mint(caller, scopes);
  return json(
    {
      token: minted.token,
      access_token: minted.token,
      expires_in: minted.expiresInSeconds,
      issued_at: minted.issuedAt.toISOString(),
      // Ours, for `wharf login` and `logins`: when the login itself ends, told to nobody but who proved it.
      ...(caller.expiresAt === undefined
        ? {}
        : { wharf_login_expires_at: new Date(caller.expiresAt).toISOString() }),
      ...(isForm ? { scope: fields.getAll("scope").join(" "), token_type: "Bearer" } : {}),
    },
    { "cache-control": "no-store" },
  );
}

/**
 * Reads `scope` parameters: each may hold several, with spaces between. `repository:NAME:ACTIONS`, `repository(class):…` too; kinds that
 * we do not have are left out, for a smaller grant is no error. INVALID_INPUT for more than a request can need.
 */
export function parseScopes(values: readonly string[]): Scope[] {
  const texts = values.flatMap((value) => value.split(" ")).filter((text) => text !== "");
  if (texts.length > MAX_SCOPES)
    throw new AppError("INVALID_INPUT", `more than ${MAX_SCOPES} scopes in one request`);
  return texts.flatMap((text): Scope[] => {
    const first = text.indexOf(":");
    const last = text.lastIndexOf(":");
    if (first === -1 || last === first || text.length > 1024) return [];
    const type = text.slice(0, first).replace(/\([^)]*\)$/, "");
    if (type !== "repository" && type !== "registry") return [];
    return [{ type, name: text.slice(first + 1, last), actions: text.slice(last + 1).split(",") }];
  });
}

async function readForm(request: Request): Promise<URLSearchParams> {
  const body = await readBody(request, MAX_TOKEN_FORM_BYTES, "the form");
  return new URLSearchParams(new TextDecoder().decode(body));
}

/** A password grant as the header that `access` reads; undefined for a form without one. */
function basicOf(fields: URLSearchParams): string | undefined {
  const grant = fields.get("grant_type");
  if (grant === "refresh_token")
    throw new AppError("UNAUTHORIZED", "this registry gives and takes no refresh tokens", {
      hint: "log in again with a username and a password or token",
    });
  const username = fields.get("username");
  if (grant !== "password" || username === null) return undefined;
  return `Basic ${Buffer.from(`${username}:${fields.get("password") ?? ""}`).toString("base64")}`;
}

function queryOf(url: string): string {
  const at = url.indexOf("?");
  return at === -1 ? "" : url.slice(at + 1);
}
