import type { Caller } from "#access";

const DAY_MS = 24 * 3600 * 1000;
const WARN_DAYS = 7;

/**
 * Tells whoever uses a token or robot secret directly that it ends soon (distribution-spec, "Warnings"). Bearer tokens always end soon,
 * and programs fetch new ones: they are not told.
 */
export function expiryWarning(caller: Caller, now: number): Record<string, string> {
  if (caller.expiresAt === undefined || caller.grants !== undefined) return {};
  const days = Math.floor((caller.expiresAt - now) / DAY_MS);
  if (days >= WARN_DAYS) return {};
  const when = days === 0 ? "within a day" : days === 1 ? "tomorrow" : `in ${days} days`;
  return { warning: `299 - "the secret of this login expires ${when}"` };
}
