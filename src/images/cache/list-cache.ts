import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { readTextLimited, systemErrorCode, toStorageError } from "#system";
import type { CacheFolder } from "./cache-folder.ts";
import { ARRIVED, DATA } from "./partial-blob.ts";
import { describeResult } from "./result-cache.ts";

/** Something that a cache keeps. */
export interface CacheItem {
  /** `part`: of a blob that has not arrived whole. */
  readonly kind: "blob" | "part" | "result";
  /** A digest, or of a result the image and what it was written as. */
  readonly name: string;
  /** On the disk; of a result that shares its bytes with the file that was pulled, 0. */
  readonly sizeBytes: number;
  readonly usedAt: Date;
  /** All files of it, first the one that makes it what it is. */
  readonly paths: readonly string[];
}

const BLOCK_BYTES = 512;
const MAX_RECORD_BYTES = 64 * 1024;

/** All that a cache keeps, the least recently used first. Throws STORAGE_FAILED, PERMISSION_DENIED. */
export async function listCache(folder: CacheFolder): Promise<readonly CacheItem[]> {
  const items = await Promise.all([
    listBlobs(folder, "sha256"),
    listBlobs(folder, "sha512"),
    listParts(folder),
    listResults(folder),
  ]);
  return items.flat().sort((a, b) => a.usedAt.getTime() - b.usedAt.getTime());
}

async function listBlobs(folder: CacheFolder, algorithm: "sha256" | "sha512"): Promise<CacheItem[]> {
  const items: CacheItem[] = [];
  const path = join(folder.path, "blobs", algorithm);
  for (const hex of await namesIn(path)) {
    const found = await factsOf(join(path, hex));
    if (found === undefined) continue;
    items.push({
      kind: "blob",
      name: `${algorithm}:${hex}`,
      sizeBytes: found.diskBytes,
      usedAt: found.changedAt,
      paths: [join(path, hex)],
    });
  }
  return items;
}

async function listParts(folder: CacheFolder): Promise<CacheItem[]> {
  const items: CacheItem[] = [];
  const names = new Set(await namesIn(folder.partial));
  for (const file of names) {
    const isData = file.endsWith(DATA);
    // It goes with its data; alone it is what a process left that was killed as it was done.
    if (file.endsWith(ARRIVED) && names.has(`${file.slice(0, -ARRIVED.length)}${DATA}`)) continue;
    const path = join(folder.partial, file);
    const found = await factsOf(path);
    if (found === undefined) continue;
    const record = `${path.slice(0, -DATA.length)}${ARRIVED}`;
    items.push({
      kind: "part",
      name: basename(file).split(".", 1)[0]?.replace("-", ":") ?? file,
      sizeBytes: found.diskBytes,
      usedAt: found.changedAt,
      // Without its record a part is of no use.
      paths: isData ? [record, path] : [path],
    });
  }
  return items;
}

async function listResults(folder: CacheFolder): Promise<CacheItem[]> {
  const items: CacheItem[] = [];
  for (const file of await namesIn(folder.results)) {
    if (!file.endsWith(".json")) continue;
    const path = join(folder.results, file);
    const data = path.replace(/\.json$/, ".data");
    const [record, bytes] = await Promise.all([factsOf(path), factsOf(data)]);
    const about = describeResult(await readTextLimited(path, MAX_RECORD_BYTES));
    if (record === undefined) continue;
    items.push({
      kind: "result",
      name: about === undefined ? file : `${about.name} ${about.platform} ${about.format}`,
      sizeBytes: bytes === undefined || bytes.links > 1 ? 0 : bytes.diskBytes,
      usedAt: record.changedAt,
      paths: [path, data],
    });
  }
  return items;
}

async function namesIn(path: string): Promise<readonly string[]> {
  try {
    return await readdir(path);
  } catch (cause) {
    throw toStorageError(cause, `reading ${path}`);
  }
}

/** undefined for what is gone meanwhile. */
async function factsOf(
  path: string,
): Promise<{ readonly diskBytes: number; readonly changedAt: Date; readonly links: number } | undefined> {
  try {
    const { blocks, mtime, nlink } = await stat(path);
    return { diskBytes: blocks * BLOCK_BYTES, changedAt: mtime, links: nlink };
  } catch (cause) {
    if (systemErrorCode(cause) === "ENOENT") return undefined;
    throw toStorageError(cause, `looking at ${path}`);
  }
}
