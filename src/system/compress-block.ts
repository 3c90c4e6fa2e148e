/** How a block is made small. Levels: gzip 1 to 9 (libdeflate's), zstd 1 to 22. */
export type BlockCodec =
  | { readonly name: "gzip"; readonly level: number }
  | { readonly name: "zstd"; readonly level: number }
  | { readonly name: "none" };

/** A zlib frame (RFC 1950) is a two-byte header and a checksum around raw deflate. */
const ZLIB_HEADER_BYTES = 2;
const ZLIB_FRAME_BYTES = ZLIB_HEADER_BYTES + 4;

/**
 * Compresses one block into the start of `into`, which may be the block's own bytes. Gives the number of bytes, always fewer than the
 * block's; 0 when it would not get smaller: nothing is written then. "gzip" is a zlib frame, as squashfs means it; zstd is one frame.
 */
export function compressBlock(
  block: Uint8Array<ArrayBufferLike>,
  codec: BlockCodec,
  into: Uint8Array,
): number {
  if (codec.name === "none") return 0;
  if (codec.name === "zstd") {
    const frame = Bun.zstdCompressSync(block, { level: codec.level });
    if (frame.length >= block.length) return 0;
    into.set(frame);
    return frame.length;
  }
  const deflated = Bun.deflateSync(block as Uint8Array<ArrayBuffer>, {
    library: "libdeflate",
    level: codec.level as 6,
  });
  const sizeBytes = deflated.length + ZLIB_FRAME_BYTES;
  if (sizeBytes >= block.length) return 0;
  // Before `into` is written: it may lie over the block.
  const checksum = Bun.hash.adler32(block);
  // deflate with a 32 KiB window; the second byte makes the pair divisible by 31 (RFC 1950, section 2.2).
  into[0] = 0x78;
  into[1] = 0x9c;
  into.set(deflated, ZLIB_HEADER_BYTES);
  new DataView(into.buffer, into.byteOffset + sizeBytes - 4, 4).setUint32(0, checksum);
  return sizeBytes;
}
