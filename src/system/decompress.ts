import type { Gunzip, ZstdDecompress } from "node:zlib";
import { AppError } from "#core";

export type Compression = "gzip" | "zstd";

/**
 * The bytes behind gzip (of any number of members) or zstd (any number of frames, skippable ones left out), decoded on a thread of its own in pieces
 * of up to 1 MiB, each valid until the next one is asked for. Zeros behind the last member are passed over. What `pieces` throws is thrown; damaged
 * data is IMAGE_INVALID. A zstd stream that stops early is not noticed here: whoever reads must know the end of what it reads.
 * Where it ends early, a read of `pieces` may still be under way; its outcome is nobody's.
 */
export async function* decompress(
  pieces: AsyncIterable<Uint8Array>,
  compression: Compression,
): AsyncGenerator<Buffer, void, undefined> {
  const { createGunzip, createZstdDecompress } = await import("node:zlib");
  const options = { chunkSize: PIECE_BYTES, readableHighWaterMark: 2 * PIECE_BYTES };
  const stream = compression === "gzip" ? createGunzip(options) : createZstdDecompress(options);
  const feeding = feed(stream, pieces);
  feeding.catch(() => stream.destroy(new Error("the compressed bytes could not be read")));
  try {
    for await (const piece of stream) {
      yield piece as Buffer;
      freeUsed(piece as Buffer);
    }
  } catch (cause) {
    // The reason of a source that failed is its own. One that is still waiting for bytes is not waited for: they may be long in coming.
    await Promise.race([feeding, undefined]);
    throw new AppError("IMAGE_INVALID", `its ${compression} data is damaged or cut short`, { cause });
  } finally {
    stream.destroy();
  }
}

const PIECE_BYTES = 1024 * 1024;

/**
 * Gives a buffer's memory back at once: left to the collector, hundreds of megabytes wait for it. The stream fills a buffer to its end before it
 * takes the next one, so a piece that ends there was the last to use it.
 */
function freeUsed(piece: Buffer): void {
  const { buffer } = piece;
  if (buffer instanceof ArrayBuffer && piece.byteOffset + piece.length === buffer.byteLength)
    buffer.transfer(0);
}

async function feed(stream: Gunzip | ZstdDecompress, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const piece of pieces) {
    if (stream.destroyed) return;
    if (!stream.write(piece)) await drained(stream);
  }
  stream.end();
}

/** Until there is room again, or nobody reads any more. */
function drained(stream: Gunzip | ZstdDecompress): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed) return resolve();
    const done = (): void => {
      stream.off("drain", done).off("close", done).off("error", done);
      resolve();
    };
    stream.on("drain", done).on("close", done).on("error", done);
  });
}
