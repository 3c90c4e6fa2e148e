import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { link, open, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { systemErrorCode, toStorageError } from "./storage-error.ts";
import { syncFolder } from "./write-durable.ts";

/**
 * Makes a file that was not there, whole or not at all: true when it is ours, false when something has that name already
 * (which is left alone). Of several processes at once one wins, and the others see all of its content. Mode 0600 unless said.
 * Throws STORAGE_FULL, PERMISSION_DENIED, STORAGE_FAILED.
 */
export async function createFileDurable(
  path: string,
  content: Uint8Array | string,
  options: { readonly mode?: number } = {},
): Promise<boolean> {
  const mode = options.mode ?? 0o600;
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`);
  try {
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    const file = await open(temporary, flags, mode & 0o600);
    try {
      await file.writeFile(content);
      await file.chmod(mode);
      await file.sync();
    } finally {
      await file.close();
    }
    // link, not rename: it refuses a name that is taken.
    await link(temporary, path);
    await unlink(temporary);
    await syncFolder(dirname(path));
    return true;
  } catch (cause) {
    await unlink(temporary).catch(() => undefined);
    if (systemErrorCode(cause) === "EEXIST") return false;
    throw toStorageError(cause, `making ${path}`);
  }
}
