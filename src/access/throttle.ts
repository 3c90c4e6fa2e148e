import { AppError } from "#core";
import type { Clock } from "#system";

const FREE_FAILURES = 5;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 15 * 60_000;
const FORGET_MS = 30 * 60_000;
const MAX_ENTRIES = 10_000;

interface Entry {
  failures: number;
  /** Attempts under way: counted as failures until they prove otherwise, so that a burst is no way round. */
  pending: number;
  /** Monotonic milliseconds. */
  blockedUntil: number;
  lastAt: number;
}

/**
 * Slows down the guessing of one account's password from one address. The pair alone is slowed: nobody can lock out
 * another address, nor another account of the same address. Bounded; the longest untouched are forgotten first.
 */
export interface Throttle {
  /** Before a guess is checked. Throws TOO_MANY_REQUESTS with `details.retryAfterSeconds`. Call the result once with the outcome. */
  begin(account: string, address: string): (outcome: "right" | "wrong" | "unknown") => void;
}

export function createThrottle(clock: Clock, maxEntries: number = MAX_ENTRIES): Throttle {
  const entries = new Map<string, Entry>();

  function touch(key: string, now: number): Entry {
    let entry = entries.get(key);
    if (entry !== undefined) entries.delete(key);
    if (entry === undefined || (entry.pending === 0 && now - entry.lastAt > FORGET_MS))
      entry = { failures: 0, pending: 0, blockedUntil: 0, lastAt: now };
    entry.lastAt = now;
    entries.set(key, entry);
    if (entries.size > maxEntries) {
      const oldest = entries.keys().next().value;
      if (oldest !== undefined) entries.delete(oldest);
    }
    return entry;
  }

  return {
    begin(account, address) {
      const now = clock.monotonicMs();
      const key = `${account.slice(0, 200)}\n${renderNetwork(address)}`;
      const entry = touch(key, now);
      if (now < entry.blockedUntil) throw tooMany(entry.blockedUntil - now);
      if (entry.pending > 0 && entry.failures + entry.pending >= FREE_FAILURES) throw tooMany(FIRST_PAUSE_MS);
      entry.pending++;
      return (outcome) => {
        entry.pending--;
        if (outcome === "right") entries.delete(key);
        if (outcome !== "wrong") return;
        entry.failures++;
        const over = entry.failures - FREE_FAILURES;
        if (over < 0) return;
        const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(over, 20));
        entry.blockedUntil = clock.monotonicMs() + pause;
      };
    },
  };
}

/** One IPv6 customer has a whole /64: its addresses count as one. */
export function renderNetwork(address: string): string {
  if (!address.includes(":") || address.includes(".")) return address;
  const [head = "", tail] = address.split("::");
  const groups = head === "" ? [] : head.split(":");
  if (tail !== undefined) {
    const rest = tail === "" ? 0 : tail.split(":").length;
    while (groups.length + rest < 8) groups.push("0");
    if (tail !== "") groups.push(...tail.split(":"));
  }
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":");
}

function tooMany(waitMs: number): AppError {
  const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1000));
  return new AppError("TOO_MANY_REQUESTS", "too many wrong passwords for this account from this address", {
    hint: `wait ${retryAfterSeconds} s, or use a token: tokens are not slowed down`,
    details: { retryAfterSeconds },
  });
}
