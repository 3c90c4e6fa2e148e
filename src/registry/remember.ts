import type { Answer } from "./answers.ts";
import type { Exchange, Parts } from "./exchange.ts";

/** So that a token's last use stays true, access is asked again now and then. */
const MAX_MEMORY_MS = 30_000;

/** Remembers an answer for the same request with the same credential. */
export function rememberAnswer(parts: Parts, exchange: Exchange, answer: Answer): void {
  if (exchange.memory === undefined) return;
  const { key, mark } = exchange.memory;
  const now = parts.clock.now();
  const until = Math.min(now + MAX_MEMORY_MS, exchange.caller.expiresAt ?? Number.POSITIVE_INFINITY);
  parts.answers.remember(key, answer, { mark, until }, now);
}
