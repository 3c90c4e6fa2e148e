import { fsync, ftruncateSync, write } from "node:fs";
import { promisify } from "node:util";
import { toStorageError } from "#system";
import type { PositionalUpload, StoredObject } from "./contract.ts";

const writeFile = promisify(write);
const syncFile = promisify(fsync);

/** What the store does for an upload that is written by position. */
export interface PositionalParts {
  readonly fd: number;
  /** Hex sha256 of the file's first `sizeBytes` bytes, which are all. */
  digest(sizeBytes: number): Promise<string>;
  /** Gives the synced file its final name. */
  place(digest: string, sizeBytes: number): Promise<StoredObject>;
  /** Removes the file. */
  drop(): Promise<void>;
  /** Closes it, and lets others have it. */
  release(): void;
}

/** An upload over an open file that nobody else writes to. */
export function createPositionalUpload(parts: PositionalParts): PositionalUpload {
  const { fd } = parts;
  let isOpen = true;
  const release = (): void => {
    if (!isOpen) return;
    isOpen = false;
    parts.release();
  };
  return {
    async write(offset, bytes) {
      try {
        for (let at = 0; at < bytes.length; ) {
          const { bytesWritten } = await writeFile(fd, bytes, at, bytes.length - at, offset + at);
          at += bytesWritten;
        }
      } catch (cause) {
        throw toStorageError(cause, "writing a blob");
      }
    },
    async finish(sizeBytes) {
      try {
        ftruncateSync(fd, sizeBytes);
        // The disk writes while the bytes are hashed.
        const [hex] = await Promise.all([parts.digest(sizeBytes), syncFile(fd)]);
        const digest = `sha256:${hex}`;
        const object = await parts.place(digest, sizeBytes);
        release();
        return { digest, object };
      } catch (cause) {
        throw toStorageError(cause, "writing a blob");
      }
    },
    async abort() {
      if (!isOpen) return;
      try {
        await parts.drop();
      } finally {
        release();
      }
    },
  };
}
