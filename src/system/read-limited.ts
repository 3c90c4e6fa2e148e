import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { AppError } from "#core";
import { systemErrorCode, toStorageError } from "./storage-error.ts";

/**
 * A file's bytes; undefined when there is no such file. Throws TOO_LARGE above `maxBytes` (and reads no more than that),
 * INVALID_INPUT for what is not a regular file, PERMISSION_DENIED, STORAGE_FAILED.
 */
export async function readFileLimited(path: string, maxBytes: number): Promise<Uint8Array | undefined> {
  try {
    // O_NONBLOCK: a pipe lying where a file should be must not hold us forever.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = await file.stat();
      if (!stat.isFile()) throw new AppError("INVALID_INPUT", `reading ${path}: not a regular file`);
      const buffer = new Uint8Array(Math.min(stat.size, maxBytes) + 1);
      let length = 0;
      for (;;) {
        const { bytesRead } = await file.read(buffer, length, buffer.length - length, length);
        length += bytesRead;
        if (bytesRead === 0 || length === buffer.length) break;
      }
      // /proc files say size 0, and a file may grow while it is read: more than announced is read again only up to the limit.
      if (length === buffer.length) return await readGrown(path, maxBytes);
      return buffer.subarray(0, length);
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (systemErrorCode(cause) === "ENOENT" || systemErrorCode(cause) === "ENOTDIR") return undefined;
    throw toStorageError(cause, `reading ${path}`);
  }
}

/** `readFileLimited` as UTF-8 text; a byte order mark at the start is dropped. */
export async function readTextLimited(path: string, maxBytes: number): Promise<string | undefined> {
  const bytes = await readFileLimited(path, maxBytes);
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
}

async function readGrown(path: string, maxBytes: number): Promise<Uint8Array> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const chunks: Uint8Array[] = [];
    let length = 0;
    for (;;) {
      const chunk = new Uint8Array(64 * 1024);
      const { bytesRead } = await file.read(chunk, 0, chunk.length, length);
      if (bytesRead === 0) return Buffer.concat(chunks);
      chunks.push(chunk.subarray(0, bytesRead));
      length += bytesRead;
      if (length > maxBytes)
        throw new AppError("TOO_LARGE", `reading ${path}: larger than ${maxBytes} bytes`, {
          details: { maxBytes },
        });
    }
  } finally {
    await file.close();
  }
}
