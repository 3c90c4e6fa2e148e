import type { Descriptor } from "#oci";
import type { Sink } from "./contract.ts";

/** How far a pull is. Bytes of layers as they are stored; the total is 0 until it is known. */
export interface PullProgress {
  readonly phase: "asking" | "making" | "finishing";
  readonly totalBytes: number;
  readonly networkBytes: number;
  readonly cachedBytes: number;
  readonly writtenBytes: number;
}

/** Counts what a pull does. */
export interface PullMeter {
  readonly onBytes: (bytes: number, from: "network" | "cache") => void;
  begin(blobs: readonly Descriptor[]): void;
  finish(): void;
  metered(sink: Sink): Sink;
}

export function createPullMeter(onProgress?: (progress: PullProgress) => void): PullMeter {
  let now: PullProgress = {
    phase: "asking",
    totalBytes: 0,
    networkBytes: 0,
    cachedBytes: 0,
    writtenBytes: 0,
  };
  const change = (changes: Partial<PullProgress>): void => {
    now = { ...now, ...changes };
    onProgress?.(now);
  };
  return {
    onBytes: (bytes, from) =>
      change(
        from === "network"
          ? { networkBytes: now.networkBytes + bytes }
          : { cachedBytes: now.cachedBytes + bytes },
      ),
    begin: (blobs) => {
      // A blob that is two layers comes once.
      const sizes = new Map(blobs.map(({ digest, sizeBytes }) => [digest, sizeBytes]));
      change({ phase: "making", totalBytes: [...sizes.values()].reduce((sum, size) => sum + size, 0) });
    },
    finish: () => change({ phase: "finishing" }),
    metered: (sink) => ({
      ...sink,
      async write(offset, bytes) {
        await sink.write(offset, bytes);
        change({ writtenBytes: now.writtenBytes + bytes.length });
      },
    }),
  };
}
