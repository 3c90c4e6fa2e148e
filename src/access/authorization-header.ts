import { AppError } from "#core";

/** What an Authorization header carries. Plain texts: they live as long as the request. */
export type Credentials =
  | { readonly scheme: "basic"; readonly username: string; readonly password: string }
  | { readonly scheme: "bearer"; readonly token: string };

/** Longer ones are refused unread: room for a Bearer token with a hundred scopes. */
export const MAX_AUTHORIZATION_CHARS = 16 * 1024;

const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const BEARER = /^[A-Za-z0-9._~+/-]+=*$/;
// A control character has no place in a name or a password: it would only confuse logs and files.
const CONTROLS = /\p{Cc}/u;

/** RFC 7617 and RFC 6750. Throws UNAUTHORIZED for anything else, without repeating it. */
export function parseAuthorization(header: string): Credentials {
  const space = header.indexOf(" ");
  const scheme = header.slice(0, space).toLowerCase();
  const value = header.slice(space + 1).trim();
  if (header.length > MAX_AUTHORIZATION_CHARS || space <= 0) throw malformed();
  if (scheme === "bearer") {
    if (!BEARER.test(value)) throw malformed();
    return { scheme: "bearer", token: value };
  }
  if (scheme !== "basic" || !BASE64.test(value)) throw malformed();
  const text = decodeUtf8(Buffer.from(value, "base64"));
  const colon = text.indexOf(":");
  if (colon <= 0 || CONTROLS.test(text)) throw malformed();
  return { scheme: "basic", username: text.slice(0, colon), password: text.slice(colon + 1) };
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw malformed(cause);
  }
}

function malformed(cause?: unknown): AppError {
  return new AppError("UNAUTHORIZED", "the Authorization header is not a Basic login or a Bearer token", {
    hint: "send a username with a password or token",
    cause,
  });
}
