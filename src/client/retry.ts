import type { Context } from "#core";
import { type FetchAnswer, fetchFailure } from "#system";

/** How often and how long to try again. */
export interface RetryPolicy {
  readonly attempts: number;
  /** A longer Retry-After is not waited for. */
  readonly maxWaitMs: number;
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly now: () => number;
}

const FIRST_WAIT_MS = 500;

/**
 * Makes attempts until one succeeds or says something final. 429 is waited for as Retry-After says (distribution-spec, "Throttling");
 * 502, 503, 504 and connections cut in the middle are repeated only where `isRepeatable`. The last answer is given back as it is.
 */
export async function withRetries<T extends FetchAnswer>(
  context: Context,
  policy: RetryPolicy,
  isRepeatable: boolean,
  attempt: () => Promise<T>,
): Promise<T> {
  for (let made = 1; ; made++) {
    const isLast = made >= policy.attempts;
    let answer: T;
    try {
      answer = await attempt();
    } catch (error) {
      if (isLast || !isRepeatable || fetchFailure(error) !== "reset") throw error;
      await policy.wait(backOffMs(made), context.signal);
      continue;
    }
    const isTransient = answer.status === 502 || answer.status === 503 || answer.status === 504;
    const waitMs = retryAfterMs(answer.headers.get("retry-after"), policy.now()) ?? backOffMs(made);
    if (isLast || waitMs > policy.maxWaitMs) return answer;
    if (answer.status !== 429 && !(isTransient && isRepeatable)) return answer;
    await answer.discard();
    context.log.debug("the registry asks to wait", { status: answer.status, waitMs });
    await policy.wait(waitMs, context.signal);
  }
}

/** Milliseconds from now, of seconds or an HTTP date; undefined where it says neither. */
export function retryAfterMs(header: string | null, nowMs: number): number | undefined {
  const text = header?.trim() ?? "";
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const date = /^[A-Za-z]{3}/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}

function backOffMs(made: number): number {
  return FIRST_WAIT_MS * 2 ** (made - 1);
}
