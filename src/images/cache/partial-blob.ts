import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open, readFile, rename, stat, unlink } from "node:fs/promises";
import { currentUserId, systemErrorCode, toStorageError } from "#system";
import { Stretches } from "./stretches.ts";

/**
 * A blob on its way into the cache: its bytes in `BASE.data`, and in `BASE.arrived` which of them are there, one line each time some were
 * written. A process may be killed at any moment: a line is written after its bytes, and half a line counts for nothing.
 */
export interface PartialBlob {
  readonly arrived: Stretches;
  /** Gives how many of the bytes were not there before. */
  write(offset: number, bytes: Uint8Array): Promise<number>;
  /** Only of bytes that have arrived. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** Makes it durable and gives it its name; what lay there is replaced. The bytes can be read until `close`. */
  publish(path: string, mode: number): Promise<void>;
  /** Closes the files; what has arrived stays for another process, unless it was published. */
  close(): Promise<void>;
  /** Removes it. */
  discard(): Promise<void>;
}

export const DATA = ".data";
export const ARRIVED = ".arrived";

const MAX_RECORD_BYTES = 64 * 1024 * 1024;
const COPY_BYTES = 1024 * 1024;

/** A new name for a partial blob of this digest, in the folder of them: nobody else's. */
export function newBase(prefix: string): string {
  return `${prefix}.${randomBytes(8).toString("hex")}`;
}

/** Opens or makes the partial blob at `base` (a path without ending). A record that does not fit the file counts as none. */
export async function openPartialBlob(base: string, sizeBytes: number, mode: number): Promise<PartialBlob> {
  const doing = `writing ${base}${DATA}`;
  try {
    const arrived = await readArrived(base, sizeBytes);
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;
    const data = await open(`${base}${DATA}`, flags, mode);
    const record = await open(`${base}${ARRIVED}`, "a", mode);
    // Whatever the umask: another user goes on with it, should this process end.
    for (const file of [data, record]) await file.chmod(mode);
    return partialOf({ base, data, record, arrived, doing });
  } catch (cause) {
    throw toStorageError(cause, doing);
  }
}

/** Another process's partial blob under a name of ours: moved where that process has ended and was ours, else copied. False where that cannot be. */
export async function takePartialBlob(
  from: string,
  to: string,
  about: { readonly sizeBytes: number; readonly mode: number; readonly isOwnerGone: boolean },
): Promise<boolean> {
  try {
    const isOurs = (await stat(`${from}${DATA}`)).uid === currentUserId();
    if (about.isOwnerGone && isOurs) {
      // The data first: killed in between, data without a record is a loss of time and nothing worse.
      await rename(`${from}${DATA}`, `${to}${DATA}`);
      await rename(`${from}${ARRIVED}`, `${to}${ARRIVED}`);
      return true;
    }
    await copyArrived(from, to, about);
    // Should its owner live after all, it finds its file gone when it wants to publish it, and says so.
    await rename(`${from}${DATA}`, `${from}.abandoned`);
    await unlink(`${from}${ARRIVED}`);
    return true;
  } catch (cause) {
    // Gone, or another user's that this one may not read or move.
    if (["ENOENT", "EACCES", "EPERM"].includes(systemErrorCode(cause) ?? "")) return false;
    throw toStorageError(cause, `taking over ${from}${DATA}`);
  }
}

async function copyArrived(
  from: string,
  to: string,
  about: { readonly sizeBytes: number; readonly mode: number },
): Promise<void> {
  const source = await open(`${from}${DATA}`, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const target = await openPartialBlob(to, about.sizeBytes, about.mode);
    try {
      for (const stretch of (await readArrived(from, about.sizeBytes)).list())
        for (let at = stretch.from; at < stretch.to; at += COPY_BYTES)
          await target.write(at, await readAt(source, at, Math.min(COPY_BYTES, stretch.to - at)));
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

function partialOf(open: {
  readonly base: string;
  readonly data: FileHandle;
  readonly record: FileHandle;
  readonly arrived: Stretches;
  readonly doing: string;
}): PartialBlob {
  const { base, data, record, arrived, doing } = open;
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    await data.close();
    await record.close();
  };
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (cause) {
      throw toStorageError(cause, doing);
    }
  };
  return {
    arrived,
    write: (offset, bytes) =>
      guarded(async () => {
        for (let at = 0; at < bytes.length; )
          at += (await data.write(bytes, at, bytes.length - at, offset + at)).bytesWritten;
        await record.write(`${offset} ${offset + bytes.length}\n`);
        const before = arrived.sizeBytes;
        arrived.add(offset, offset + bytes.length);
        return arrived.sizeBytes - before;
      }),
    read: (offset, length) => guarded(() => readAt(data, offset, length)),
    publish: (path, mode) =>
      guarded(async () => {
        await data.datasync();
        await data.chmod(mode);
        await rename(`${base}${DATA}`, path);
        await unlink(`${base}${ARRIVED}`);
      }),
    close: () => guarded(close),
    discard: () =>
      guarded(async () => {
        await close();
        for (const ending of [ARRIVED, DATA]) await removeIfThere(`${base}${ending}`);
      }),
  };
}

async function readArrived(base: string, sizeBytes: number): Promise<Stretches> {
  const arrived = new Stretches();
  const [facts, record] = await Promise.all([statOrNone(`${base}${DATA}`), statOrNone(`${base}${ARRIVED}`)]);
  if (facts === undefined || record === undefined || record.size > MAX_RECORD_BYTES) return arrived;
  const text = await readFile(`${base}${ARRIVED}`, "latin1");
  for (const line of text.slice(0, text.lastIndexOf("\n") + 1).split("\n")) {
    const [, from, to] = /^(\d{1,15}) (\d{1,15})$/.exec(line) ?? [];
    const end = Number(to);
    if (from !== undefined && end <= sizeBytes && end <= facts.size) arrived.add(Number(from), end);
  }
  return arrived;
}

/** Exactly these bytes of a file. */
export async function readAt(file: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafe(length);
  for (let at = 0; at < length; ) {
    const { bytesRead } = await file.read(bytes, at, length - at, offset + at);
    if (bytesRead === 0) return bytes.subarray(0, at);
    at += bytesRead;
  }
  return bytes;
}

async function statOrNone(path: string): Promise<{ readonly size: number } | undefined> {
  try {
    return await stat(path);
  } catch (cause) {
    if (systemErrorCode(cause) === "ENOENT") return undefined;
    throw cause;
  }
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (cause) {
    if (systemErrorCode(cause) !== "ENOENT") throw cause;
  }
}
