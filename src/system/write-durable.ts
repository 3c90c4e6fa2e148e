import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { open, rename, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { toStorageError } from "./storage-error.ts";

/**
 * Replaces a file so that a crash leaves the old or the new content: a temporary file in the same folder, fsync, rename, folder fsync.
 * The folder must be there. The new file has `mode` (0600 unless said), whatever the umask; a link at `path` is replaced, not followed.
 * Throws STORAGE_FULL, PERMISSION_DENIED, STORAGE_FAILED; the temporary file is gone then.
 */
export async function writeFileDurable(
  path: string,
  content: Uint8Array | string,
  options: { readonly mode?: number } = {},
): Promise<void> {
  const mode = options.mode ?? 0o600;
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`);
  try {
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    // Never wider than asked, not even between open and chmod.
    const file = await open(temporary, flags, mode & 0o600);
    try {
      await file.writeFile(content);
      await file.chmod(mode);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (cause) {
    // Best effort: what matters is the first error, and the name is never read again.
    await unlink(temporary).catch(() => undefined);
    throw toStorageError(cause, `writing ${path}`);
  }
}

/** Makes renames, creations and removals in a folder durable. Throws the system's error. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
