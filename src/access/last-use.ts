import type { Catalog } from "#catalog";
import { type Logger, toAppError } from "#core";

const RESOLUTION_MS = 60_000;
const FLUSH_AFTER_MS = 1_000;
const MAX_KNOWN = 10_000;

/** Keeps when tokens were last used: to the minute, beside the requests, never in their way. */
export interface LastUse {
  note(tokenId: number, now: number): void;
  flush(): Promise<void>;
}

export function createLastUse(catalog: Catalog, log: Logger): LastUse {
  const noted = new Map<number, number>();
  let pending = new Map<number, number>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    if (pending.size === 0) return;
    const uses = pending;
    pending = new Map();
    try {
      await catalog.write([], () => {
        for (const [tokenId, at] of uses) catalog.tokens.markUsed(tokenId, at);
      });
    } catch (cause) {
      // Nobody waits for this; the next use writes it again.
      for (const tokenId of uses.keys()) noted.delete(tokenId);
      log.warn("last use of tokens was not written", { code: toAppError(cause).code });
    }
  }

  return {
    note(tokenId, now) {
      const before = noted.get(tokenId);
      if (before !== undefined && now - before < RESOLUTION_MS) return;
      if (noted.size >= MAX_KNOWN) noted.clear();
      noted.set(tokenId, now);
      pending.set(tokenId, now);
      if (timer !== undefined) return;
      timer = setTimeout(() => void flush(), FLUSH_AFTER_MS);
      timer.unref();
    },
    flush,
  };
}
