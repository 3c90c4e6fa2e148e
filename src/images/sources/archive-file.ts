import { randomBytes } from "node:crypto";
import { open, unlink } from "node:fs/promises";
import { join } from "node:path";
import { AppError, type Context } from "#core";
import { decompress, toStorageError } from "#system";
import { type CacheFolder, openSourceFile, type SourceFile } from "../cache/index.ts";
import type { ByteSource } from "../contract.ts";
import { sniffCompression, withinVolume } from "../layers/read-layer.ts";
import { type ArchiveIndex, indexArchive } from "./tar-index.ts";

/** An archive of files, open. */
export interface OpenArchive {
  find(name: string): ByteSource | undefined;
  close(): Promise<void>;
}

const READ_BYTES = 1024 * 1024;
const SNIFF_BYTES = 512;

/**
 * Opens a tar archive as it lies there. One that was compressed as a whole (`docker save | gzip`) is unpacked into the cache first, into a file
 * without a name: layers are read from any place. Throws NOT_FOUND, IMAGE_INVALID, UNSUPPORTED, TOO_LARGE.
 */
export async function openArchive(context: Context, path: string, folder: CacheFolder): Promise<OpenArchive> {
  const file = await openSourceFile(path);
  if (file === undefined) throw new AppError("NOT_FOUND", `the file ${path} is not there`);
  return openArchiveOf(context, await plainFile(context, file, folder));
}

/** As `openArchive`, of a file that is open already and is no longer the caller's. */
export async function openArchiveOf(context: Context, file: SourceFile): Promise<OpenArchive> {
  let index: ArchiveIndex;
  try {
    index = await indexArchive(context, file.source());
  } catch (cause) {
    await file.close();
    throw cause;
  }
  return {
    find(name) {
      const member = index(name);
      return member === undefined ? undefined : file.source(member.offset, member.sizeBytes);
    },
    close: () => file.close(),
  };
}

async function plainFile(context: Context, file: SourceFile, folder: CacheFolder): Promise<SourceFile> {
  try {
    const compression = sniffCompression(await file.read(0, Math.min(SNIFF_BYTES, file.sizeBytes)));
    if (compression === undefined) return file;
    const plain = await storeUnnamed(
      folder,
      withinVolume(decompress(piecesOf(context, file), compression), file.sizeBytes),
    );
    await file.close();
    return plain;
  } catch (cause) {
    await file.close();
    throw cause;
  }
}

/** Writes bytes into a file of the cache that has lost its name before anybody reads it: it is gone when it is closed, or this process ends. */
export async function storeUnnamed(
  folder: CacheFolder,
  pieces: AsyncIterable<Uint8Array>,
): Promise<SourceFile> {
  const path = join(folder.partial, `archive.${randomBytes(8).toString("hex")}.tmp`);
  try {
    const file = await open(path, "wx", 0o600);
    try {
      let at = 0;
      for await (const piece of pieces)
        for (let rest = piece; rest.length > 0; ) {
          const { bytesWritten } = await file.write(rest, 0, rest.length, at);
          at += bytesWritten;
          rest = rest.subarray(bytesWritten);
        }
    } finally {
      await file.close();
    }
    const opened = await openSourceFile(path);
    if (opened === undefined) throw new AppError("STORAGE_FAILED", `${path} is gone`);
    return opened;
  } catch (cause) {
    throw toStorageError(cause, `writing ${path}`);
  } finally {
    await unlink(path).catch(() => undefined);
  }
}

async function* piecesOf(context: Context, file: SourceFile): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < file.sizeBytes; at += READ_BYTES) {
    if (context.signal.aborted) throw new AppError("INTERRUPTED", "stopped while an archive was read");
    yield await file.read(at, READ_BYTES);
  }
}
