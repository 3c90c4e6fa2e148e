import type { Secret } from "#core";

// OWASP's second setting for argon2id: 62 ms here (platform.md), and bounded memory for several at once.
const SETTINGS = { algorithm: "argon2id", memoryCost: 19_456, timeCost: 2 } as const;

/** Slow, salted hash of a person's password, as a PHC string. Runs beside the event loop. */
export function hashPassword(password: Secret): Promise<string> {
  return Bun.password.hash(password.reveal(), SETTINGS);
}

/** True when the hash was made of this password. Throws for a hash that is none. */
export function verifyPassword(password: Secret, hash: string): Promise<boolean> {
  return Bun.password.verify(password.reveal(), hash);
}
