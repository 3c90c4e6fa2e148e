import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { AppError } from "#core";
import { systemErrorCode, toStorageError } from "./storage-error.ts";

/** What is known of a large file without keeping it in memory. */
export interface HashedFile {
  /** Hex. */
  readonly sha256: string;
  readonly sizeBytes: number;
  /** Its first 64 KiB. */
  readonly head: Uint8Array;
  /** Permission bits. */
  readonly mode: number;
}

const CHUNK_BYTES = 256 * 1024;
const HEAD_BYTES = 64 * 1024;

/** undefined when there is no such file. Throws INVALID_INPUT for no regular file, PERMISSION_DENIED, STORAGE_FAILED. */
export async function hashFile(path: string): Promise<HashedFile | undefined> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = await file.stat();
      if (!stat.isFile()) throw new AppError("INVALID_INPUT", `reading ${path}: not a regular file`);
      const hash = createHash("sha256");
      const buffer = new Uint8Array(CHUNK_BYTES);
      let head: Uint8Array | undefined;
      let sizeBytes = 0;
      for (;;) {
        const { bytesRead } = await file.read(buffer, 0, buffer.length, sizeBytes);
        if (bytesRead === 0) break;
        head ??= buffer.slice(0, Math.min(bytesRead, HEAD_BYTES));
        hash.update(buffer.subarray(0, bytesRead));
        sizeBytes += bytesRead;
      }
      return {
        sha256: hash.digest("hex"),
        sizeBytes,
        head: head ?? new Uint8Array(),
        mode: stat.mode & 0o7777,
      };
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (systemErrorCode(cause) === "ENOENT" || systemErrorCode(cause) === "ENOTDIR") return undefined;
    throw toStorageError(cause, `reading ${path}`);
  }
}
