import { type BlockCodec, compressBlock } from "#system";

/** Metadata is compressed in blocks of 8 KiB, each behind a 16-bit length whose top bit says "kept as it was". */
export const METADATA_BLOCK_BYTES = 8192;
const KEPT = 0x8000;
const HEADER_BYTES = 2;

/** A stream of metadata: written in order, compressed block by block, spoken of by references. */
export class MetadataWriter {
  readonly #codec: BlockCodec;
  readonly #open = new Uint8Array(METADATA_BLOCK_BYTES);
  readonly #chunks: Uint8Array[] = [];
  readonly #starts: number[] = [];
  #openBytes = 0;
  #sizeBytes = 0;

  constructor(codec: BlockCodec) {
    this.#codec = codec;
  }

  /** Where the block of the next byte starts, in compressed bytes from the stream's start. */
  get blockStart(): number {
    return this.#sizeBytes;
  }

  /** Where the next byte is in its uncompressed block. */
  get offset(): number {
    return this.#openBytes;
  }

  /** Both in one number, as inodes are spoken of: start × 65536 + offset. */
  get reference(): number {
    return this.#sizeBytes * 0x1_0000 + this.#openBytes;
  }

  /** Where each finished block starts. */
  get starts(): readonly number[] {
    return this.#starts;
  }

  write(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      const count = Math.min(METADATA_BLOCK_BYTES - this.#openBytes, bytes.length - at);
      this.#open.set(bytes.subarray(at, at + count), this.#openBytes);
      this.#openBytes += count;
      at += count;
      // At once, so that a reference never points behind the last byte of a block.
      if (this.#openBytes === METADATA_BLOCK_BYTES) this.#flush();
    }
  }

  /** All compressed blocks, in order. Nothing may be written afterwards. */
  finish(): readonly Uint8Array[] {
    if (this.#openBytes > 0) this.#flush();
    return this.#chunks;
  }

  #flush(): void {
    const block = this.#open.subarray(0, this.#openBytes);
    const chunk = new Uint8Array(HEADER_BYTES + block.length);
    const compressed = compressBlock(block, this.#codec, chunk.subarray(HEADER_BYTES));
    if (compressed === 0) chunk.set(block, HEADER_BYTES);
    const size = compressed === 0 ? block.length : compressed;
    new DataView(chunk.buffer).setUint16(0, compressed === 0 ? size | KEPT : size, true);
    this.#starts.push(this.#sizeBytes);
    // A copy: a million inodes should not hold on to 8 KiB for each 2 KiB of theirs.
    this.#chunks.push(chunk.slice(0, HEADER_BYTES + size));
    this.#sizeBytes += HEADER_BYTES + size;
    this.#openBytes = 0;
  }
}
