import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { AppError } from "#core";
import { systemErrorCode, toStorageError } from "#system";
import type { ByteSource } from "../contract.ts";
import { readAt } from "./partial-blob.ts";

/** An open file that byte sources are cut out of. */
export interface SourceFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly uid: number;
  /** A stretch of it; the whole where nothing is said. Throws SIZE_INVALID where it ends early. */
  source(offset?: number, sizeBytes?: number): ByteSource;
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** undefined where there is no such file, or a symlink that is refused. Throws INVALID_INPUT for no regular file, PERMISSION_DENIED, STORAGE_FAILED. */
export async function openSourceFile(
  path: string,
  links: "followed" | "refused" = "followed",
): Promise<SourceFile | undefined> {
  const doing = `reading ${path}`;
  let file: FileHandle;
  try {
    // O_NONBLOCK: a pipe lying there must not hold us for ever.
    file = await open(
      path,
      constants.O_RDONLY | constants.O_NONBLOCK | (links === "refused" ? constants.O_NOFOLLOW : 0),
    );
  } catch (cause) {
    if (systemErrorCode(cause) === "ENOENT" || systemErrorCode(cause) === "ENOTDIR") return undefined;
    if (links === "refused" && systemErrorCode(cause) === "ELOOP") return undefined;
    throw toStorageError(cause, doing);
  }
  const facts = await file.stat();
  if (!facts.isFile()) {
    await file.close();
    throw new AppError("INVALID_INPUT", `${doing}: not a regular file`);
  }
  const { size, uid } = facts;
  const read = async (offset: number, length: number): Promise<Uint8Array> => {
    try {
      return await readAt(file, offset, length);
    } catch (cause) {
      throw toStorageError(cause, doing);
    }
  };
  return {
    path,
    sizeBytes: size,
    uid,
    read,
    source: (offset = 0, sizeBytes = size - offset) => stretchOf(read, offset, sizeBytes, path),
    close: () => file.close(),
  };
}

function stretchOf(read: SourceFile["read"], start: number, sizeBytes: number, path: string): ByteSource {
  return {
    sizeBytes,
    async read(offset, length) {
      const wanted = Math.max(0, Math.min(length, sizeBytes - offset));
      const bytes = await read(start + offset, wanted);
      if (bytes.length < wanted)
        throw new AppError("SIZE_INVALID", `${path} became shorter while it was read`);
      return bytes;
    },
  };
}
