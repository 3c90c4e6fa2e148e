import { createHash } from "node:crypto";
import type { BlockResult, BlockSlot, CompressionPool } from "#system";
import { SLOT_MAX_BLOCKS } from "#system";
import { DuplicateIndex } from "./duplicate-index.ts";
import type { SinkWriter } from "./sink-writer.ts";
import { EMPTY_FILE, type StoredFile, storedFile } from "./stored-file.ts";

/** In a block's size word: it is kept as it was. */
const KEPT = 0x100_0000;

/** A block of small files: where it is, and its size word. */
export interface Fragment {
  startBytes: number;
  size: number;
}

/** To whom a block belongs, in the order of blocks. */
type Owner = LargeFile | Fragment;

interface LargeFile {
  readonly stored: StoredFile;
  readonly blocks: number;
  readonly sizes: number[];
  readonly hash: ReturnType<typeof createHash>;
}

interface Batch {
  readonly slot: BlockSlot;
  readonly owners: readonly Owner[];
  readonly done: Promise<void>;
}

/**
 * Packs files, one after the other, into compressed blocks: those of a block's size or more into blocks of their own, smaller ones together into
 * fragment blocks. The same bytes are written once. What is written depends on the order of the files alone.
 */
export class BlockPacker {
  readonly #pool: CompressionPool;
  readonly #output: SinkWriter;
  readonly #blockBytes: number;
  readonly #duplicates = new DuplicateIndex();
  readonly #fragments: Fragment[] = [];
  /** The open fragment, and behind it the small file that comes in. */
  readonly #small: Uint8Array;
  #smallStart = 0;
  #smallFilled = 0;
  #file: LargeFile | undefined;
  #slot: BlockSlot | undefined;
  #slotFilled = 0;
  #owners: Owner[] = [];
  /** Of the file's open block: what is missing. */
  #blockMissing = 0;
  #blockLength = 0;
  #fileMissing = 0;
  readonly #batches: Batch[] = [];

  constructor(pool: CompressionPool, output: SinkWriter, blockBytes: number) {
    this.#pool = pool;
    this.#output = output;
    this.#blockBytes = blockBytes;
    this.#small = new Uint8Array(2 * blockBytes);
  }

  /** All fragment blocks; complete after `finish`. */
  get fragments(): readonly Fragment[] {
    return this.#fragments;
  }

  /** Begins a file of exactly that many bytes. */
  begin(sizeBytes: number): void {
    this.#fileMissing = sizeBytes;
    this.#smallFilled = this.#smallStart;
    this.#file = undefined;
    if (sizeBytes < this.#blockBytes) return;
    this.#file = {
      stored: storedFile(sizeBytes),
      blocks: Math.ceil(sizeBytes / this.#blockBytes),
      sizes: [],
      hash: createHash("sha256"),
    };
  }

  /** The file's next bytes, copied before it returns, or before its promise settles where it waits for a thread. */
  write(piece: Uint8Array): void | Promise<void> {
    if (piece.length > this.#fileMissing) throw new RangeError("a file has more bytes than it began with");
    if (this.#file !== undefined) return this.#copy(this.#file, piece, 0);
    this.#small.set(piece, this.#smallFilled);
    this.#smallFilled += piece.length;
    this.#fileMissing -= piece.length;
  }

  /** Where the file is; what it says of a large one is complete after `finish`. */
  end(): StoredFile | Promise<StoredFile> {
    if (this.#fileMissing !== 0) throw new RangeError("a file has fewer bytes than it began with");
    const large = this.#file;
    if (large !== undefined) return large.stored;
    const bytes = this.#small.subarray(this.#smallStart, this.#smallFilled);
    if (bytes.length === 0) return EMPTY_FILE;
    const key = createHash("sha256").update(bytes).digest("latin1");
    const same = this.#duplicates.find(key, bytes.length);
    if (same !== undefined) return same;
    const file = storedFile(bytes.length);
    this.#duplicates.add(key, file);
    if (this.#smallFilled <= this.#blockBytes) {
      this.#place(file);
      return file;
    }
    return this.#sendFragment().then(() => {
      this.#small.copyWithin(0, this.#smallStart, this.#smallFilled);
      this.#smallFilled -= this.#smallStart;
      this.#smallStart = 0;
      this.#place(file);
      return file;
    });
  }

  /** Everything is with the sink. */
  async finish(): Promise<void> {
    if (this.#smallStart > 0) await this.#sendFragment();
    this.#submit();
    while (this.#batches.length > 0) await this.#drain();
    await this.#output.flush();
  }

  /** The small file that came in stays where it is, in the open fragment. */
  #place(file: StoredFile): void {
    file.fragment = this.#fragments.length;
    file.fragmentOffset = this.#smallStart;
    this.#smallStart = this.#smallFilled;
  }

  async #sendFragment(): Promise<void> {
    const length = this.#smallStart;
    const fragment = { startBytes: 0, size: 0 };
    this.#fragments.push(fragment);
    const slot = this.#roomFor(length) ?? (await this.#nextSlot(length));
    slot.data.set(this.#small.subarray(0, length), this.#slotFilled);
    this.#closeBlock(slot, length, fragment);
  }

  #copy(file: LargeFile, piece: Uint8Array, from: number): void | Promise<void> {
    let at = from;
    while (at < piece.length) {
      if (this.#blockMissing === 0) {
        const length = Math.min(this.#blockBytes, this.#fileMissing);
        if (this.#roomFor(length) === undefined)
          return this.#nextSlot(length).then(() => this.#copy(file, piece, at));
        this.#blockMissing = length;
        this.#blockLength = length;
      }
      const slot = this.#slot as BlockSlot;
      const count = Math.min(this.#blockMissing, piece.length - at);
      const offset = this.#slotFilled + this.#blockLength - this.#blockMissing;
      slot.data.set(at === 0 && count === piece.length ? piece : piece.subarray(at, at + count), offset);
      at += count;
      this.#blockMissing -= count;
      this.#fileMissing -= count;
      if (this.#blockMissing === 0) this.#closeBlock(slot, this.#blockLength, file);
    }
  }

  #closeBlock(slot: BlockSlot, length: number, owner: Owner): void {
    // A fragment is never a hole: readers want its bytes.
    slot.add(length, "sizes" in owner);
    this.#owners.push(owner);
    this.#slotFilled += length;
  }

  /** The open slot when a block of that length fits into it. */
  #roomFor(length: number): BlockSlot | undefined {
    const slot = this.#slot;
    if (slot === undefined) return undefined;
    const isFull = this.#slotFilled + length > slot.data.length || slot.count === SLOT_MAX_BLOCKS;
    return isFull ? undefined : slot;
  }

  async #nextSlot(length: number): Promise<BlockSlot> {
    this.#submit();
    let slot = this.#pool.take();
    while (slot === undefined) {
      await this.#drain();
      slot = this.#pool.take();
    }
    if (length > slot.data.length) throw new RangeError("a slot is smaller than a block");
    this.#slot = slot;
    return slot;
  }

  #submit(): void {
    const slot = this.#slot;
    if (slot === undefined) return;
    this.#batches.push({ slot, owners: this.#owners, done: this.#pool.submit(slot) });
    this.#slot = undefined;
    this.#slotFilled = 0;
    this.#owners = [];
  }

  /** Writes what became of the oldest batch. */
  async #drain(): Promise<void> {
    const batch = this.#batches.shift();
    if (batch === undefined) throw new RangeError("all slots are taken and none is compressed");
    await batch.done;
    let block = 0;
    for (const result of batch.slot.results()) {
      const owner = batch.owners[block++] as Owner;
      const written = "sizes" in owner ? this.#keepBlock(owner, result) : this.#keepFragment(owner, result);
      if (written !== undefined) await written;
      if ("sizes" in owner && owner.sizes.length === owner.blocks) this.#closeFile(owner);
    }
    this.#pool.release(batch.slot);
  }

  #keepFragment(fragment: Fragment, result: BlockResult): void | Promise<void> {
    fragment.startBytes = this.#output.position;
    fragment.size = sizeWord(result);
    return this.#output.append(result.bytes);
  }

  #keepBlock(file: LargeFile, result: BlockResult): void | Promise<void> {
    if (file.sizes.length === 0) file.stored.startBytes = this.#output.position;
    const size = sizeWord(result);
    if (size === 0) {
      const isLast = file.sizes.length === file.blocks - 1;
      file.stored.holeBytes += isLast
        ? file.stored.sizeBytes - this.#blockBytes * (file.blocks - 1)
        : this.#blockBytes;
    }
    file.sizes.push(size);
    file.hash.update(result.hash);
    return this.#output.append(result.bytes);
  }

  /** All blocks of a large file are there: it is new, or what was written of it is taken back. */
  #closeFile(file: LargeFile): void {
    const { stored } = file;
    stored.blockSizes = Uint32Array.from(file.sizes);
    file.hash.update(new Uint8Array(stored.blockSizes.buffer));
    const key = file.hash.digest("latin1");
    const same = this.#duplicates.find(key, stored.sizeBytes);
    if (same === undefined) {
      this.#duplicates.add(key, stored);
      return;
    }
    this.#output.rewind(stored.startBytes);
    stored.startBytes = same.startBytes;
    stored.blockSizes = same.blockSizes;
  }
}

function sizeWord(result: BlockResult): number {
  return result.isCompressed ? result.bytes.length : result.bytes.length | KEPT;
}
