import { unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Context } from "#core";
import { systemErrorCode, toStorageError } from "#system";
import type { CacheFolder } from "./cache-folder.ts";
import { isClaimHeld } from "./claim.ts";
import { type CacheItem, listCache } from "./list-cache.ts";
import { readHeldBlobs } from "./running-pulls.ts";

/** What may stay; without either, only what a running pull needs. */
export interface PruneLimits {
  /** What was used last stays, up to so many bytes. */
  readonly maxBytes?: number;
  /** What was used since then stays. */
  readonly usedSince?: Date;
}

export interface Pruned {
  readonly removed: readonly CacheItem[];
  readonly kept: readonly CacheItem[];
  /** Among those kept: what a running pull needs. */
  readonly heldCount: number;
  /** Another user's, in a folder where each may remove only their own. */
  readonly refused: readonly CacheItem[];
}

/** Removes what the limits do not keep, the least recently used first, and nothing that a running pull needs. `isTried`: says what it would remove. */
export async function pruneCache(
  context: Context,
  folder: CacheFolder,
  limits: PruneLimits & { readonly now: Date; readonly isTried?: boolean },
): Promise<Pruned> {
  const held = await readHeldBlobs(folder, limits.now.getTime());
  const removed: CacheItem[] = [];
  const kept: CacheItem[] = [];
  const refused: CacheItem[] = [];
  let heldCount = 0;
  const items = await listCache(folder);
  let bytes = items.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  for (const item of items) {
    const isHeld = held.has(item.name) || (await isArriving(folder, item, limits.now));
    if (isHeld) heldCount++;
    if (isHeld || isWithin(limits, item, bytes)) {
      kept.push(item);
      continue;
    }
    if (limits.isTried !== true && !(await removeItem(item))) {
      context.log.debug("not ours to remove", { path: item.paths[0] });
      refused.push(item);
      continue;
    }
    bytes -= item.sizeBytes;
    removed.push(item);
  }
  return { removed, kept, heldCount, refused };
}

function isWithin({ maxBytes, usedSince }: PruneLimits, item: CacheItem, bytes: number): boolean {
  if (maxBytes === undefined && usedSince === undefined) return false;
  const isSmall = maxBytes === undefined || bytes <= maxBytes;
  return isSmall && (usedSince === undefined || item.usedAt >= usedSince);
}

async function isArriving(folder: CacheFolder, item: CacheItem, now: Date): Promise<boolean> {
  const [path] = item.paths;
  if (item.kind !== "part" || path === undefined || dirname(path) !== folder.partial) return false;
  const claim = join(folder.partial, `${basename(path).split(".", 1)[0]}.claim`);
  // An archive on its way has no claim, and no name either while it is read.
  return isClaimHeld(claim, now.getTime());
}

async function removeItem({ paths }: CacheItem): Promise<boolean> {
  for (const path of paths) {
    try {
      await unlink(path);
    } catch (cause) {
      const code = systemErrorCode(cause);
      if (code === "ENOENT") continue;
      if (code === "EPERM" || code === "EACCES") return false;
      throw toStorageError(cause, `removing ${path}`);
    }
  }
  return true;
}
