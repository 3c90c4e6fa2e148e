import { randomBytes } from "node:crypto";
import { unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { toStorageError } from "./storage-error.ts";

/** Resolves when a small file can be written into the folder; it is gone afterwards. Throws STORAGE_FULL, PERMISSION_DENIED, STORAGE_FAILED. */
export async function probeWritable(folder: string): Promise<void> {
  const path = join(folder, `.probe.${randomBytes(6).toString("hex")}.tmp`);
  try {
    // A block's worth: some file systems keep less beside the inode, where there may be room when the disk is full.
    await writeFile(path, new Uint8Array(4096), { mode: 0o600, flag: "wx" });
  } catch (cause) {
    throw toStorageError(cause, `writing into ${folder}`);
  } finally {
    await unlink(path).catch(() => undefined);
  }
}
