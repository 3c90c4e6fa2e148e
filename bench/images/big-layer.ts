import { createHash } from "node:crypto";
import { closeSync, openSync, readSync, writeSync } from "node:fs";
import type { LayerBlob } from "../../src/images/contract.ts";
import { TAR_BLOCK, tarEntry } from "../../test/support/tar-writer.ts";
import { fileLayer } from "./file-layer.ts";

/** Real content that all files are cut from. */
const POOL_BYTES = 256 * 1024 * 1024;
/** The bytes of files, in turn: their middle is what a Debian system has, some are larger than most. */
const FILE_BYTES = [700, 2500, 6000, 14_000, 40_000, 120_000, 400_000, 1_500_000, 9000, 3000] as const;
const FILES_PER_FOLDER = 500;
const FRAME_BYTES = 16 * 1024 * 1024;
const FRAMES_AT_ONCE = 2;

/**
 * A zstd layer of about `bytes` bytes, written to `path` as it is made: files cut out of real ones (the tar `from`) at other places each, no two alike,
 * so that nothing of them is found twice. The same input gives the same layer.
 */
export async function makeBigLayer(from: string, path: string, bytes: number): Promise<LayerBlob> {
  const pool = readPool(from);
  const hash = createHash("sha256");
  const file = openSync(path, "w");
  // Frames of their own, one after another, as parallel compressors write them; some are compressed while the next one is made.
  const frames: Promise<Uint8Array>[] = [];
  const put = async (tar: Uint8Array<ArrayBuffer>, most: number): Promise<void> => {
    hash.update(tar);
    frames.push(Bun.zstdCompress(tar, { level: 1 }));
    while (frames.length > most) writeSync(file, (await frames.shift()) ?? new Uint8Array());
  };
  let parts: Buffer[] = [];
  let partBytes = 0;
  let total = 0;
  for (let number = 0; total < bytes; number++) {
    const sizeBytes = FILE_BYTES[number % FILE_BYTES.length] ?? 0;
    // A stride that meets no other: each file begins elsewhere.
    const offset = (number * 7_368_787) % (pool.length - sizeBytes);
    const content = Buffer.from(pool.subarray(offset, offset + sizeBytes));
    content.writeUInt32LE(number);
    const folder = `srv/${Math.floor(number / FILES_PER_FOLDER)}`;
    const part = tarEntry({ path: `${folder}/file-${number}`, content, mode: 0o644, mtime: 1_700_000_000 });
    parts.push(part);
    partBytes += part.length;
    total += part.length;
    if (partBytes < FRAME_BYTES && total < bytes) continue;
    await put(Buffer.concat(parts), FRAMES_AT_ONCE);
    parts = [];
    partBytes = 0;
  }
  await put(Buffer.alloc(2 * TAR_BLOCK), 0);
  closeSync(file);
  return await fileLayer(path, hash.digest("hex"));
}

function readPool(path: string): Buffer {
  const file = openSync(path, "r");
  const pool = Buffer.alloc(POOL_BYTES);
  const length = readSync(file, pool, 0, POOL_BYTES, 0);
  closeSync(file);
  return pool.subarray(0, length);
}
