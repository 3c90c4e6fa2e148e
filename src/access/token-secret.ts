import { createHash, randomBytes } from "node:crypto";
import { Secret } from "#core";

// Shell-safe, netrc-safe, found by secret scanners; 24 bytes are 192 bits (registry.md, section 8, rule 6).
const PREFIX = "wharf_";
const SECRET_BYTES = 24;
const SHAPE = /^wharf_[A-Za-z0-9_-]{32}$/;

/** A new secret of a token, and the hash under which it is found again. */
export function createTokenSecret(): { readonly secret: Secret; readonly hash: Uint8Array } {
  const text = PREFIX + randomBytes(SECRET_BYTES).toString("base64url");
  return { secret: new Secret(text), hash: hashTokenSecret(text) };
}

/** True for a text that has the form of a token's secret; passwords may not have it. */
export function isTokenSecret(text: string): boolean {
  return SHAPE.test(text);
}

/** SHA-256: fast, and enough for 192 random bits. */
export function hashTokenSecret(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}
