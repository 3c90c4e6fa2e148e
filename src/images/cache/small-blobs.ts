import { randomBytes } from "node:crypto";
import { rename, unlink } from "node:fs/promises";
import { digestOf, parseDigest } from "#oci";
import { readFileLimited, toStorageError } from "#system";
import type { CacheFolder } from "./cache-folder.ts";
import { writeShared } from "./write-shared.ts";

/** A manifest out of the cache, proved by its digest; undefined where it is not there, or damaged, or larger than `maxBytes`. */
export async function readSmallBlob(
  folder: CacheFolder,
  digest: string,
  maxBytes: number,
): Promise<Uint8Array | undefined> {
  const bytes = await readFileLimited(folder.blobPath(digest), maxBytes);
  if (bytes === undefined) return undefined;
  return digestOf(bytes, parseDigest(digest).algorithm) === digest ? bytes : undefined;
}

/** Keeps a manifest whose digest was checked. */
export async function writeSmallBlob(folder: CacheFolder, digest: string, bytes: Uint8Array): Promise<void> {
  const path = folder.blobPath(digest);
  const temporary = `${folder.partialPrefix(digest)}.${randomBytes(8).toString("hex")}.tmp`;
  try {
    await writeShared(temporary, bytes, folder.fileMode);
    await rename(temporary, path);
  } catch (cause) {
    await unlink(temporary).catch(() => undefined);
    throw toStorageError(cause, `writing ${path}`);
  }
}
