import { randomBytes } from "node:crypto";
import {
  closeSync,
  createReadStream,
  createWriteStream,
  fstatSync,
  openSync,
  read,
  unlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toStorageError } from "./storage-error.ts";

/** A file in gzip. It has no name any more, so that nothing is left behind however this process ends. */
export interface PackedFile {
  readonly sizeBytes: number;
  /** From the beginning, for each who reads. */
  read(): AsyncIterable<Uint8Array>;
}

const CHUNK_BYTES = 256 * 1024;

/** Packs a file once, on disk, for many who are sent it. Throws STORAGE_FULL, PERMISSION_DENIED, STORAGE_FAILED. */
export async function packFile(path: string): Promise<PackedFile> {
  const [{ promises: streams }, { createGzip }] = await Promise.all([
    import("node:stream"),
    import("node:zlib"),
  ]);
  const temporary = join(tmpdir(), `wharf-${randomBytes(12).toString("hex")}`);
  try {
    const fd = openSync(temporary, "wx+", 0o600);
    try {
      // Level 1 gives nearly all that the others do of an executable, in a third of their time.
      await streams.pipeline(createReadStream(path), createGzip({ level: 1 }), createWriteStream(temporary));
    } catch (cause) {
      closeSync(fd);
      throw cause;
    } finally {
      unlinkSync(temporary);
    }
    const sizeBytes = fstatSync(fd).size;
    const packed: PackedFile = {
      sizeBytes,
      // Through `packed`, so that it is not given up while somebody reads.
      read: () => readChunks(fd, packed),
    };
    unused.register(packed, fd);
    return packed;
  } catch (cause) {
    throw toStorageError(cause, `packing ${path}`);
  }
}

/** Nobody can say when the last host has had it. */
const unused = new FinalizationRegistry<number>((fd) => closeSync(fd));

async function* readChunks(fd: number, packed: PackedFile): AsyncIterable<Uint8Array> {
  for (let at = 0; at < packed.sizeBytes; ) {
    const buffer = new Uint8Array(Math.min(CHUNK_BYTES, packed.sizeBytes - at));
    const bytesRead = await readAt(fd, buffer, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

function readAt(fd: number, buffer: Uint8Array, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(fd, buffer, 0, buffer.length, position, (error, count) => {
      if (error === null) resolve(count);
      else reject(error);
    });
  });
}
