import { toAppError } from "#core";
import type { Parts } from "./exchange.ts";

const PAUSE_MS = 10 * 60 * 1000;
const MOST = 1000;

/**
 * Drops uploads that were left alone, when somebody starts one, now and then and a bounded number at a time: no walk at the start, no
 * timer. Gives the function to call at each start of an upload; it does not wait.
 */
export function expireUploads(parts: Parts): () => void {
  let lastAt = Number.NEGATIVE_INFINITY;
  return () => {
    const now = parts.clock.monotonicMs();
    if (now - lastAt < PAUSE_MS) return;
    lastAt = now;
    const before = new Date(parts.clock.now() - parts.limits.uploadLifeSeconds * 1000);
    parts.blobs.expireUploads(before, MOST).then(
      (dropped) => {
        if (dropped > 0) parts.log.info("dropped expired uploads", { dropped });
      },
      (cause: unknown) => parts.log.warn("dropping expired uploads failed", { error: toAppError(cause) }),
    );
  };
}
