import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open, rename, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { syncFolder, toStorageError } from "#system";
import type { Sink } from "../contract.ts";

/**
 * A sink into a file of this machine: written under a name beside the target, so that nobody reads half an image; `finish` fsyncs and renames.
 * A file that is there already is replaced. `mode` is the file's, whatever the umask. Throws STORAGE_FULL, PERMISSION_DENIED, STORAGE_FAILED.
 */
export async function createLocalFileSink(path: string, options: { readonly mode: number }): Promise<Sink> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`);
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const doing = `writing ${path}`;
  const file = await open(temporary, flags, options.mode & 0o600).catch((cause: unknown) => {
    throw toStorageError(cause, doing);
  });
  let isOpen = true;
  let isNamed = false;
  return {
    async write(offset, bytes) {
      try {
        await writeAll(file, offset, bytes);
      } catch (cause) {
        throw toStorageError(cause, doing);
      }
    },
    async finish(sizeBytes) {
      try {
        await file.truncate(sizeBytes);
        await file.chmod(options.mode);
        await file.sync();
        isOpen = false;
        await file.close();
        await rename(temporary, path);
        isNamed = true;
        await syncFolder(dirname(path));
      } catch (cause) {
        throw toStorageError(cause, doing);
      }
    },
    async abort() {
      if (isOpen) {
        isOpen = false;
        await file.close();
      }
      if (isNamed) return;
      // The random name is nobody else's: gone already is as good.
      await unlink(temporary).catch(() => undefined);
    },
  };
}

async function writeAll(file: FileHandle, offset: number, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, at, bytes.length - at, offset + at);
    at += bytesWritten;
  }
}
