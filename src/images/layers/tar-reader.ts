import type { LayerEntry, LayerIndex, LayerVisitor, Whiteout } from "../contract.ts";
import { nameMeaning } from "./entry-path.ts";
import type { LayerLimits } from "./layer-limits.ts";
import { type PaxRecords, readPaxRecords } from "./pax-records.ts";
import { invalidLayer, overLimit, shownName } from "./refuse.ts";
import {
  addOldSparse,
  checkSparse,
  createSparseReader,
  isSparseInData,
  type OldSparse,
  readOldSparse,
  realBytesOf,
  type SparseMap,
  sparseFromRecords,
} from "./sparse-map.ts";
import { createEntry, entryName } from "./tar-entry.ts";
import { BLOCK_BYTES, isZeroBlock, parseTarHeader, type TarHeader } from "./tar-header.ts";

/** What the next bytes are. */
type Phase = "header" | "meta" | "old-sparse" | "sparse-text" | "body" | "padding" | "end";

/**
 * Reads a tar archive from pieces of any length. Contents are handed on as views of the pieces, never copied. It ends at two blocks of zeros; what
 * comes behind them is nobody's.
 */
export class TarReader {
  readonly #visitor: LayerVisitor;
  readonly #limits: LayerLimits;
  readonly #entries: LayerEntry[] = [];
  readonly #whiteouts: Whiteout[] = [];
  readonly #globals: PaxRecords = new Map();
  readonly #block = Buffer.alloc(BLOCK_BYTES);
  #blockFill = 0;
  #phase: Phase = "header";
  #hasZeroBlock = false;
  #where = "";
  /** Bytes still to come of the body or of the padding. */
  #left = 0;
  #bodyBytes = 0;
  #isWanted = false;
  // What stands before a header.
  #metaType = "";
  #meta = Buffer.alloc(0);
  #metaBytes = 0;
  #records: PaxRecords | undefined;
  #longName: string | undefined;
  #longLink: string | undefined;
  // A sparse file.
  #waiting: LayerEntry | undefined;
  #oldSparse: OldSparse | undefined;
  #sparseReader: ((block: Buffer) => readonly number[] | undefined) | undefined;
  #realBytes = 0;
  #sparse: SparseMap | undefined;
  #extent = 0;
  #extentLeft = 0;
  #position = 0;
  #expandedBytes = 0;
  #indexBytes = 0;
  #zeros: Buffer | undefined;

  constructor(visitor: LayerVisitor, limits: LayerLimits) {
    this.#visitor = visitor;
    this.#limits = limits;
  }

  /** The entry that is being read, for a message; "" between entries. */
  get where(): string {
    return this.#where;
  }

  /** True once the two blocks of zeros have come. */
  get hasEnded(): boolean {
    return this.#phase === "end";
  }

  async write(piece: Buffer): Promise<void> {
    let at = 0;
    while (at < piece.length && this.#phase !== "end") {
      // Most steps end at once: a promise for each would cost a third of the speed.
      let pending: void | Promise<void> = undefined;
      if (this.#phase === "body") {
        const taken = Math.min(this.#left, piece.length - at);
        this.#left -= taken;
        pending = this.#deliver(piece.subarray(at, at + taken));
        if (pending !== undefined) await pending;
        at += taken;
        pending = this.#left === 0 ? this.#endBody() : undefined;
      } else if (this.#phase === "padding") {
        at += this.#takePadding(piece.length - at);
      } else if (this.#phase === "meta") {
        at += this.#takeMeta(piece, at);
      } else {
        const block = this.#takeBlock(piece, at);
        at = block.next;
        pending = block.bytes === undefined ? undefined : this.#readBlock(block.bytes);
      }
      if (pending !== undefined) await pending;
    }
  }

  /** All headers; throws IMAGE_INVALID where the archive stops in the middle of something. */
  finish(): LayerIndex {
    const isAtBorder =
      this.#phase === "end" ||
      (this.#metaType === "" &&
        (this.#phase === "padding" || (this.#phase === "header" && this.#blockFill === 0)));
    if (!isAtBorder) throw invalidLayer("the archive ends in the middle of an entry");
    return { entries: this.#entries, whiteouts: this.#whiteouts };
  }

  /** A view of the next block, or of the one gathered from two pieces; none as long as it is not whole. */
  #takeBlock(piece: Buffer, at: number): { bytes: Buffer | undefined; next: number } {
    if (this.#blockFill === 0 && piece.length - at >= BLOCK_BYTES)
      return { bytes: piece.subarray(at, at + BLOCK_BYTES), next: at + BLOCK_BYTES };
    const taken = Math.min(BLOCK_BYTES - this.#blockFill, piece.length - at);
    piece.copy(this.#block, this.#blockFill, at, at + taken);
    this.#blockFill += taken;
    if (this.#blockFill < BLOCK_BYTES) return { bytes: undefined, next: at + taken };
    this.#blockFill = 0;
    return { bytes: this.#block, next: at + taken };
  }

  #readBlock(block: Buffer): void | Promise<void> {
    if (this.#phase === "header") return this.#readHeader(block);
    if (this.#phase === "old-sparse" && this.#oldSparse !== undefined) {
      addOldSparse(block, this.#oldSparse, this.#limits);
      return this.#oldSparse.isContinued ? undefined : this.#startSparse(this.#oldSparse);
    }
    this.#bodyBytes -= BLOCK_BYTES;
    if (this.#bodyBytes < 0) throw invalidLayer("its sparse map does not fit the size of its data");
    const extents = this.#sparseReader?.(block);
    return extents === undefined ? undefined : this.#startSparse({ extents, realBytes: this.#realBytes });
  }

  #readHeader(block: Buffer): void | Promise<void> {
    this.#where = "";
    if (block[0] === 0 && isZeroBlock(block)) {
      if (this.#hasZeroBlock) this.#phase = "end";
      this.#hasZeroBlock = true;
      return;
    }
    if (this.#hasZeroBlock) throw invalidLayer("something follows a single block of zeros");
    const header = parseTarHeader(block);
    return META_TYPES.has(header.typeflag) ? this.#startMeta(header) : this.#readEntry(block, header);
  }

  #readEntry(block: Buffer, header: TarHeader): void | Promise<void> {
    const foreword = {
      records: this.#records ?? this.#globals,
      longName: this.#longName,
      longLink: this.#longLink,
    };
    this.#forget();
    const name = entryName(header, foreword);
    this.#where = shownName(name);
    // A volume's label is not a part of the tree.
    if (header.typeflag === "V") return this.#startBody(Math.max(0, header.sizeBytes), false);
    const read = createEntry(block, header, foreword, this.#limits);
    if (this.#entries.length + this.#whiteouts.length >= this.#limits.maxEntries)
      throw overLimit(`the layer has more than ${this.#limits.maxEntries} entries`, "maxEntries");
    this.#indexBytes += heldBytes(read.entry);
    if (this.#indexBytes > this.#limits.maxIndexBytes)
      throw overLimit(
        `the layer's headers take more than ${this.#limits.maxIndexBytes} bytes`,
        "maxIndexBytes",
      );
    const meaning = nameMeaning(read.entry.path);
    if (meaning.kind !== "plain") {
      if (meaning.kind !== "bookkeeping")
        this.#whiteouts.push({ ...meaning, entriesBefore: this.#entries.length });
      return this.#startBody(read.storedBytes, false);
    }
    this.#waiting = read.entry;
    this.#bodyBytes = read.storedBytes;
    if (header.typeflag === "S") {
      const sparse = readOldSparse(block);
      this.#oldSparse = sparse;
      if (!sparse.isContinued) return this.#startSparse(sparse);
      this.#phase = "old-sparse";
      return;
    }
    if (read.entry.type === "file" && foreword.records.size > 0) {
      if (isSparseInData(foreword.records)) {
        this.#sparseReader = createSparseReader(this.#limits);
        this.#realBytes = realBytesOf(foreword.records);
        this.#phase = "sparse-text";
        return;
      }
      const sparse = sparseFromRecords(foreword.records, this.#limits);
      if (sparse !== undefined) return this.#startSparse(sparse);
    }
    return this.#announce(read.entry, read.storedBytes);
  }

  /** Tells the visitor of an entry, and gets ready for its body. */
  #announce(entry: LayerEntry, storedBytes: number): void | Promise<void> {
    const answer = this.#visitor.entry(entry, this.#entries.length);
    this.#entries.push(entry);
    this.#startBody(storedBytes, answer === "read" && entry.type === "file");
    return storedBytes === 0 ? this.#endBody() : undefined;
  }

  #startSparse(map: SparseMap): void | Promise<void> {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    this.#sparse = checkSparse(map, this.#bodyBytes);
    this.#expandedBytes += map.realBytes;
    if (this.#expandedBytes > this.#limits.maxLayerBytes)
      throw overLimit(`its sparse files have more than ${this.#limits.maxLayerBytes} bytes`, "maxLayerBytes");
    this.#extent = 0;
    this.#extentLeft = 0;
    this.#position = 0;
    return this.#announce({ ...waiting, sizeBytes: map.realBytes }, this.#bodyBytes);
  }

  #startBody(bytes: number, isWanted: boolean): void {
    this.#isWanted = isWanted;
    this.#left = bytes;
    this.#bodyBytes = bytes;
    this.#phase = bytes === 0 ? "header" : "body";
  }

  #deliver(view: Buffer): void | Promise<void> {
    if (!this.#isWanted) return;
    return this.#sparse === undefined ? this.#visitor.content(view) : this.#deliverSparse(view);
  }

  #endBody(): void | Promise<void> {
    const { realBytes } = this.#sparse ?? { realBytes: 0 };
    if (this.#isWanted && this.#position < realBytes)
      return this.#deliverHole(realBytes).then(() => this.#endBody());
    const pending = this.#isWanted ? this.#visitor.end?.() : undefined;
    this.#sparse = undefined;
    this.#waiting = undefined;
    this.#oldSparse = undefined;
    this.#sparseReader = undefined;
    this.#isWanted = false;
    this.#left = paddingOf(this.#bodyBytes);
    this.#phase = this.#left === 0 ? "header" : "padding";
    return pending;
  }

  async #deliverSparse(view: Buffer): Promise<void> {
    const extents = this.#sparse?.extents ?? [];
    let at = 0;
    while (at < view.length) {
      while (this.#extentLeft === 0) {
        await this.#deliverHole(extents[this.#extent] ?? this.#position);
        this.#extentLeft = extents[this.#extent + 1] ?? view.length;
        this.#extent += 2;
      }
      const taken = Math.min(this.#extentLeft, view.length - at);
      await this.#visitor.content(view.subarray(at, at + taken));
      at += taken;
      this.#extentLeft -= taken;
      this.#position += taken;
    }
  }

  async #deliverHole(end: number): Promise<void> {
    while (this.#position < end) {
      this.#zeros ??= Buffer.alloc(HOLE_PIECE_BYTES);
      const taken = Math.min(this.#zeros.length, end - this.#position);
      await this.#visitor.content(this.#zeros.subarray(0, taken));
      this.#position += taken;
    }
  }

  #takePadding(available: number): number {
    const taken = Math.min(this.#left, available);
    this.#left -= taken;
    if (this.#left === 0) this.#phase = "header";
    return taken;
  }

  #startMeta(header: TarHeader): void {
    const most = this.#limits.maxHeaderBytes;
    this.#metaBytes += header.sizeBytes;
    if (header.sizeBytes < 0 || this.#metaBytes > most)
      throw overLimit(
        `the PAX headers and long names of an entry take more than ${most} bytes`,
        "maxHeaderBytes",
      );
    this.#metaType = header.typeflag;
    this.#meta = Buffer.alloc(header.sizeBytes);
    this.#left = header.sizeBytes;
    this.#phase = "meta";
    if (this.#left === 0) this.#endMeta();
  }

  #takeMeta(piece: Buffer, at: number): number {
    const taken = Math.min(this.#left, piece.length - at);
    piece.copy(this.#meta, this.#meta.length - this.#left, at, at + taken);
    this.#left -= taken;
    if (this.#left === 0) this.#endMeta();
    return taken;
  }

  #endMeta(): void {
    const body = this.#meta;
    if (this.#metaType === "g") {
      readPaxRecords(body, this.#globals, this.#limits);
      this.#checkGlobals();
    } else if (this.#metaType === "L") this.#longName = untilNul(body);
    else if (this.#metaType === "K") this.#longLink = untilNul(body);
    else {
      this.#records ??= new Map(this.#globals);
      readPaxRecords(body, this.#records, this.#limits);
    }
    this.#meta = Buffer.alloc(0);
    this.#left = paddingOf(body.length);
    this.#phase = this.#left === 0 ? "header" : "padding";
    // What holds for all that follows may also stand at the very end.
    if (this.#metaType === "g") this.#metaType = "";
  }

  /** A global header holds for all that follows, so what they say together is bounded, not each. */
  #checkGlobals(): void {
    let bytes = 0;
    for (const [key, value] of this.#globals) bytes += key.length + value.length;
    if (bytes > this.#limits.maxHeaderBytes)
      throw overLimit("the global PAX headers are too large", "maxHeaderBytes");
  }

  #forget(): void {
    this.#metaType = "";
    this.#metaBytes = 0;
    this.#records = undefined;
    this.#longName = undefined;
    this.#longLink = undefined;
  }
}

/** PAX headers ("X" is Solaris's letter for them), GNU's long name and long link. */
const META_TYPES: ReadonlySet<string> = new Set(["x", "X", "g", "L", "K"]);
const HOLE_PIECE_BYTES = 1024 * 1024;

function paddingOf(bytes: number): number {
  return (BLOCK_BYTES - (bytes % BLOCK_BYTES)) % BLOCK_BYTES;
}

/** About what an entry takes in memory. */
function heldBytes({ path, linkTarget, xattrs }: LayerEntry): number {
  let bytes = 128 + path.length + linkTarget.length;
  for (const [name, value] of xattrs ?? []) bytes += 128 + name.length + value.length;
  return bytes;
}

function untilNul(body: Buffer): string {
  const end = body.indexOf(0);
  return body.toString("latin1", 0, end < 0 ? body.length : end);
}
