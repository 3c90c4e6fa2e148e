import { unlink } from "node:fs/promises";
import { systemErrorCode, toStorageError } from "./storage-error.ts";

/** The file is gone afterwards; no error when it was not there. Throws PERMISSION_DENIED, STORAGE_FAILED. */
export async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (cause) {
    if (systemErrorCode(cause) !== "ENOENT") throw toStorageError(cause, `removing ${path}`);
  }
}
