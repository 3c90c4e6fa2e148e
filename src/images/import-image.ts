import { randomBytes } from "node:crypto";
import { readdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { AppError, type Context } from "#core";
import { systemErrorCode, toStorageError } from "#system";
import type { CacheFolder } from "./cache/index.ts";
import { type PullOutcome, type PullRequest, type PullSurroundings, pullImage } from "./pull-image.ts";

/** Who reads an imported image: every use has a name of its own, and leaves with it. */
export interface ImageUse {
  /** Numbers and names without `.`, `/` or space: job, step, node. */
  readonly words: readonly string[];
  /** When it began: what is left of uses that never ended is removed after `USE_DAYS`. */
  readonly nowMs: number;
}

export interface ImportedImage extends PullOutcome {
  /** Absolute. */
  readonly path: string;
}

/** The caches of whoever imports. */
export interface ImportCaches {
  /** The user's own; opened only when it is needed. */
  readonly openOwn: () => Promise<CacheFolder>;
  /** One that several users share. */
  readonly shared: CacheFolder | undefined;
}

/**
 * The cache that an image goes into: the shared one, but for an image that is asked for with a login where every user of the machine may read that.
 */
export function cacheForImport({ openOwn, shared }: ImportCaches, hasLogin: boolean): Promise<CacheFolder> {
  return shared === undefined || (hasLogin && shared.isOpenToAll) ? openOwn() : Promise.resolve(shared);
}

/** Longer than a cluster lets a job run. */
const USE_DAYS = 60;
const DAY_MS = 24 * 3_600_000;
const ENDING = ".squashfs";

/**
 * Brings an image into the cache once, whoever asks and on however many machines that share the folder, and gives a path at which it stays until
 * `releaseImports`. The registry is asked each time, with the login of whoever asks: what is here already is given to nobody who may not pull it.
 * Throws as `pullImage`.
 */
export async function importImage(
  context: Context,
  request: Pick<PullRequest, "source" | "platform" | "format" | "choice"> & { readonly waitMs: number },
  use: ImageUse,
  surroundings: PullSurroundings,
): Promise<ImportedImage> {
  const { waitMs, ...what } = request;
  await removeUses(surroundings.cache, (name) => isForgotten(name, use.nowMs));
  const mark = `${Math.floor(use.nowMs / 1000)}.${randomBytes(6).toString("hex")}`;
  const path = join(surroundings.cache.uses, `${prefixOf(use)}${mark}${ENDING}`);
  const outcome = await pullImage(
    context,
    {
      ...what,
      target: { kind: "path", path },
      isForced: false,
      isShared: true,
      keepsResults: true,
      joint: { waitMs },
    },
    surroundings,
  );
  return { ...outcome, path };
}

/** Takes a use's names away; the image stays in the cache. How many there were: none the second time. */
export async function releaseImports(folder: CacheFolder, use: Pick<ImageUse, "words">): Promise<number> {
  const prefix = prefixOf(use);
  return removeUses(folder, (name) => name.startsWith(prefix));
}

function prefixOf({ words }: Pick<ImageUse, "words">): string {
  if (words.length === 0 || !words.every((word) => /^[\w-]{1,64}$/.test(word)))
    throw new AppError("INVALID_INPUT", "what names the use of an image is no number or name");
  return `${words.join(".")}.`;
}

function isForgotten(name: string, nowMs: number): boolean {
  const [, seconds] = /\.(\d{1,12})\.[0-9a-f]{12}\.squashfs$/.exec(name) ?? [];
  return seconds !== undefined && nowMs - Number(seconds) * 1000 > USE_DAYS * DAY_MS;
}

/** Those of another user whom the folder's mode protects are left to them. */
async function removeUses(folder: CacheFolder, isWanted: (name: string) => boolean): Promise<number> {
  let removed = 0;
  try {
    for (const name of await readdir(folder.uses))
      if (isWanted(name) && (await removeUse(join(folder.uses, name)))) removed++;
  } catch (cause) {
    throw toStorageError(cause, `removing what is in ${folder.uses}`);
  }
  return removed;
}

/** False where somebody else was quicker, or it is not ours to remove. */
async function removeUse(path: string): Promise<boolean> {
  try {
    await unlink(path);
    return true;
  } catch (cause) {
    if (["ENOENT", "EPERM", "EACCES"].includes(systemErrorCode(cause) ?? "")) return false;
    throw cause;
  }
}
