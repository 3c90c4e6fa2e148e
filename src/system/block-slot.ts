/** Blocks that one slot can hold: many when files end in short blocks. */
export const SLOT_MAX_BLOCKS = 64;
/** Of a block's hash, which says whether two blocks are the same bytes: SHA-256, cut. */
export const BLOCK_HASH_BYTES = 16;

const LENGTHS_AT = 0;
const RESULTS_AT = LENGTHS_AT + SLOT_MAX_BLOCKS * 4;
const HASHES_AT = RESULTS_AT + SLOT_MAX_BLOCKS * 4;
const COUNT_AT = HASHES_AT + SLOT_MAX_BLOCKS * BLOCK_HASH_BYTES;
/** What a slot's memory holds before its data; a whole page. */
const HEADER_BYTES = 4096;

/** What became of a block: a stretch of the slot's data, in order; none for a block of zeros alone that may vanish. */
export interface BlockResult {
  readonly bytes: Uint8Array;
  /** False when the bytes are the block as it was. */
  readonly isCompressed: boolean;
  /** Of `bytes`: two blocks of the same length with the same hash and `isCompressed` are the same block. */
  readonly hash: Uint8Array;
}

/**
 * A stretch of memory shared with a worker, used again and again: blocks side by side go in, what became of them comes out at the same place.
 * One side at a time touches it: the pool says whose turn it is.
 */
export class BlockSlot {
  readonly memory: SharedArrayBuffer;
  readonly data: Uint8Array;
  readonly #lengths: Int32Array;
  readonly #results: Int32Array;
  readonly #hashes: Uint8Array;
  readonly #count: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.data = new Uint8Array(memory, HEADER_BYTES);
    this.#lengths = new Int32Array(memory, LENGTHS_AT, SLOT_MAX_BLOCKS);
    this.#results = new Int32Array(memory, RESULTS_AT, SLOT_MAX_BLOCKS);
    this.#hashes = new Uint8Array(memory, HASHES_AT, SLOT_MAX_BLOCKS * BLOCK_HASH_BYTES);
    this.#count = new Int32Array(memory, COUNT_AT, 1);
  }

  static ofBytes(dataBytes: number): BlockSlot {
    return new BlockSlot(new SharedArrayBuffer(HEADER_BYTES + dataBytes));
  }

  get count(): number {
    return this.#count[0] ?? 0;
  }

  clear(): void {
    this.#count[0] = 0;
  }

  /** The next `lengthBytes` of `data` are one block, at least one byte. At most SLOT_MAX_BLOCKS. `mayVanish`: zeros alone need no bytes. */
  add(lengthBytes: number, mayVanish: boolean): void {
    this.#lengths[this.count] = mayVanish ? lengthBytes : -lengthBytes;
    this.#count[0] = this.count + 1;
  }

  length(block: number): number {
    return Math.abs(this.#lengths[block] ?? 0);
  }

  mayVanish(block: number): boolean {
    return (this.#lengths[block] ?? 0) > 0;
  }

  /** `sizeBytes` of a compressed block, or its negative for one kept as it was. */
  setResult(block: number, sizeBytes: number, hash: Uint8Array): void {
    this.#results[block] = sizeBytes;
    this.#hashes.set(hash.subarray(0, BLOCK_HASH_BYTES), block * BLOCK_HASH_BYTES);
  }

  /** In the order of the blocks. Valid until the slot is released. */
  *results(): Generator<BlockResult> {
    let at = 0;
    for (let block = 0; block < this.count; block++) {
      const result = this.#results[block] ?? 0;
      const sizeBytes = Math.abs(result);
      yield {
        bytes: this.data.subarray(at, at + sizeBytes),
        isCompressed: result >= 0,
        hash: this.#hashes.subarray(block * BLOCK_HASH_BYTES, (block + 1) * BLOCK_HASH_BYTES),
      };
      at += sizeBytes;
    }
  }
}
