import { randomBytes } from "node:crypto";
import { unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ProcessIdentity, readProcessIdentity, toStorageError } from "#system";
import type { CacheFolder } from "./cache-folder.ts";

/** What a running pull needs is written down, so that nobody prunes it. */
export interface HeldBlobs {
  hold(digests: readonly string[]): Promise<void>;
  release(): Promise<void>;
}

interface Running {
  readonly holder: ProcessIdentity;
  readonly digests: readonly string[];
}

export async function holdBlobs(folder: CacheFolder): Promise<HeldBlobs> {
  const path = join(folder.running, `${randomBytes(8).toString("hex")}.json`);
  const holder = await readProcessIdentity();
  return {
    async hold(digests) {
      try {
        await writeFile(path, JSON.stringify({ holder, digests } satisfies Running), {
          mode: folder.fileMode,
        });
      } catch (cause) {
        throw toStorageError(cause, `writing ${path}`);
      }
    },
    async release() {
      // Nothing was held, or somebody pruned what looked dead.
      await unlink(path).catch(() => undefined);
    },
  };
}
