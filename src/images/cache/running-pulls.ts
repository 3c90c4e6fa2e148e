import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { chmod, readdir, stat, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  isProcessGone,
  type ProcessIdentity,
  readProcessIdentity,
  readTextLimited,
  systemErrorCode,
  toStorageError,
} from "#system";
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

const MAX_BYTES = 4 * 1024 * 1024;
/** A pull of which nothing more can be known, because it runs on another machine, is over by then. */
const LONGEST_PULL_MS = 24 * 3_600_000;

export async function holdBlobs(folder: CacheFolder): Promise<HeldBlobs> {
  const path = join(folder.running, `${randomBytes(8).toString("hex")}.json`);
  const holder = await readProcessIdentity();
  return {
    async hold(digests) {
      try {
        await writeFile(path, JSON.stringify({ holder, digests } satisfies Running), {
          // Written more than once: a link that another put in its place meanwhile is not followed.
          flag: constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW,
          mode: folder.fileMode,
        });
        // Whatever the umask: who prunes must be able to read it.
        await chmod(path, folder.fileMode);
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

/** Digests that a running pull needs. What a pull left that has ended is removed. */
export async function readHeldBlobs(folder: CacheFolder, nowMs: number): Promise<ReadonlySet<string>> {
  const held = new Set<string>();
  for (const name of await readdir(folder.running)) {
    // What has another name is nobody's pull, and not ours to remove.
    if (!/^[0-9a-f]{16}\.json$/.test(name)) continue;
    const path = join(folder.running, name);
    const ageMs = await ageOf(path, nowMs);
    // It ended while we looked.
    if (ageMs === undefined) continue;
    const running = parseRunning(await readTextLimited(path, MAX_BYTES));
    const isOver = running === undefined ? undefined : await isProcessGone(running.holder);
    if (isOver ?? ageMs > LONGEST_PULL_MS) await unlink(path).catch(() => undefined);
    else for (const digest of running?.digests ?? []) held.add(digest);
  }
  return held;
}

/** How long ago a file was written; undefined where there is none. */
async function ageOf(path: string, nowMs: number): Promise<number | undefined> {
  try {
    return nowMs - (await stat(path)).mtimeMs;
  } catch (cause) {
    if (systemErrorCode(cause) === "ENOENT") return undefined;
    throw toStorageError(cause, `looking at ${path}`);
  }
}

function parseRunning(text: string | undefined): Running | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
  const { holder, digests } = (value ?? {}) as Partial<Running>;
  if (typeof holder?.machine !== "string" || typeof holder.pid !== "number" || !Array.isArray(digests))
    return undefined;
  return { holder, digests: digests.filter((digest) => typeof digest === "string") };
}
