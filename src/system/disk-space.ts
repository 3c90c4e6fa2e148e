import { statfs } from "node:fs/promises";
import { toStorageError } from "./storage-error.ts";

/** Bytes that this user may still write on the file system that holds `path`. Throws STORAGE_FAILED, PERMISSION_DENIED. */
export async function readFreeBytes(path: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  } catch (cause) {
    throw toStorageError(cause, `asking for the room at ${path}`);
  }
}
