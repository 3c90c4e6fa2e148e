import { chmod, mkdir, stat } from "node:fs/promises";
import { AppError } from "#core";
import { toStorageError } from "./storage-error.ts";

/**
 * Makes a folder, and those above it, with `mode` (0700 unless said) whatever the umask; one that is there keeps its mode unless it is
 * wider, then it is tightened. Throws INVALID_INPUT when something else has that name, PERMISSION_DENIED, STORAGE_FAILED, STORAGE_FULL.
 */
export async function ensurePrivateFolder(path: string, mode = 0o700): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode });
    const found = await stat(path);
    if (!found.isDirectory())
      throw new AppError("INVALID_INPUT", `making the folder ${path}: a file has that name`);
    if ((found.mode & 0o777 & ~mode) !== 0) await chmod(path, found.mode & mode);
  } catch (cause) {
    throw toStorageError(cause, `making the folder ${path}`);
  }
}
