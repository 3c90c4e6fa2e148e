import type { Context } from "#core";
import { availableCores, CompressionPool } from "#system";
import type { Sink, TreeNode } from "../../contract.ts";
import { BlockPacker } from "./block-packer.ts";
import { ByteRecord } from "./byte-record.ts";
import { MetadataWriter } from "./metadata-writer.ts";
import { checkOptions, DEFAULT_BLOCK_BYTES, MAX_WORKERS, type SquashfsOptions } from "./options.ts";
import { SinkWriter } from "./sink-writer.ts";
import type { StoredFile } from "./stored-file.ts";
import { renderCodecOptions, renderSuperblock, SUPERBLOCK_BYTES } from "./superblock.ts";
import { clampSeconds, type WrittenInodes, writeInodes } from "./write-inodes.ts";

/** Of one trip to a thread: several blocks, so that the trip costs nothing. */
const SLOT_BYTES = 512 * 1024;
/** The kernel reads whole pages of the device. */
const PADDING_BYTES = 4096;

/**
 * Writes one squashfs: first the bytes of all files in any order (`begin`, `write`, `end`), then the tree that they belong to (`finish`).
 * `close` ends its threads, always.
 */
export class SquashfsWriter {
  readonly #sink: Sink;
  readonly #options: SquashfsOptions;
  readonly #output: SinkWriter;
  readonly #pool: CompressionPool;
  readonly #packer: BlockPacker;

  /** Throws INVALID_INPUT for options that squashfs cannot have. */
  constructor(sink: Sink, options: SquashfsOptions) {
    checkOptions(options);
    const blockBytes = options.blockBytes ?? DEFAULT_BLOCK_BYTES;
    this.#sink = sink;
    this.#options = options;
    const firstByte = SUPERBLOCK_BYTES + renderCodecOptions(options.codec).length;
    this.#output = new SinkWriter(sink, options.offsetBytes ?? 0, firstByte);
    this.#pool = new CompressionPool({
      codec: options.codec,
      workers: options.workers ?? Math.min(availableCores(), MAX_WORKERS),
      slotBytes: Math.max(SLOT_BYTES, blockBytes),
    });
    this.#packer = new BlockPacker(this.#pool, this.#output, blockBytes);
  }

  /** The next file's bytes: exactly `sizeBytes` of them come by `write`, then `end` says where they are. */
  begin(sizeBytes: number): void {
    this.#packer.begin(sizeBytes);
  }

  write(piece: Uint8Array): void | Promise<void> {
    return this.#packer.write(piece);
  }

  end(): StoredFile | Promise<StoredFile> {
    return this.#packer.end();
  }

  /** Writes all else, and pads. Gives the squashfs's size with the padding; the sink is not finished. */
  async finish(
    root: TreeNode,
    storedOf: (file: TreeNode) => StoredFile,
    context: Context,
  ): Promise<{ readonly sizeBytes: number }> {
    await this.#packer.finish();
    const written = await writeInodes(root, storedOf, this.#options, context);
    const inodeTable = await this.#append(written.inodes.finish());
    const directoryTable = await this.#append(written.directories.finish());
    const { fragments } = this.#packer;
    const fragmentRecord = new ByteRecord(fragments.length * 16);
    for (const fragment of fragments) fragmentRecord.u64(fragment.startBytes).u32(fragment.size).u32(0);
    const fragmentTable = await this.#appendTable(fragmentRecord.bytes);
    const references = new ByteRecord(written.references.length * 8);
    for (const reference of written.references) references.u64(reference);
    const exportTable = await this.#appendTable(references.bytes);
    const idTable = await this.#appendTable(written.ids.render());
    const xattrTable = await this.#appendXattrs(written);
    const usedBytes = this.#output.position;
    const sizeBytes = Math.ceil(usedBytes / PADDING_BYTES) * PADDING_BYTES;
    await this.#output.append(new Uint8Array(sizeBytes - usedBytes));
    await this.#output.flush();
    const superblock = renderSuperblock({
      codec: this.#options.codec,
      blockBytes: this.#options.blockBytes ?? DEFAULT_BLOCK_BYTES,
      madeAt: clampSeconds(this.#options.madeAtSeconds ?? 0),
      inodes: written.references.length,
      fragments: fragments.length,
      ids: written.ids.count,
      root: written.root,
      usedBytes,
      inodeTable,
      directoryTable,
      fragmentTable,
      exportTable,
      idTable,
      xattrTable,
    });
    const head = new ByteRecord().raw(superblock).raw(renderCodecOptions(this.#options.codec)).bytes;
    await this.#sink.write(this.#options.offsetBytes ?? 0, head);
    return { sizeBytes };
  }

  close(): void {
    this.#pool.close();
  }

  async #append(chunks: readonly Uint8Array[]): Promise<number> {
    const { position } = this.#output;
    for (const chunk of chunks) {
      const written = this.#output.append(chunk);
      if (written !== undefined) await written;
    }
    return position;
  }

  /** A table of fixed records: its metadata blocks, and behind them where each of these is, which is what the superblock points at. */
  async #appendTable(records: Uint8Array): Promise<number> {
    const writer = new MetadataWriter(this.#options.codec);
    writer.write(records);
    const start = await this.#append(writer.finish());
    const locations = new ByteRecord();
    for (const block of writer.starts) locations.u64(start + block);
    return await this.#append([locations.bytes]);
  }

  /** Undefined when nothing has attributes. */
  async #appendXattrs(written: WrittenInodes): Promise<number | undefined> {
    const { count } = written.xattrs;
    if (count === 0) return undefined;
    const { values, sets } = written.xattrs.finish();
    const valuesStart = await this.#append(values);
    const writer = new MetadataWriter(this.#options.codec);
    writer.write(sets);
    const setsStart = await this.#append(writer.finish());
    const header = new ByteRecord().u64(valuesStart).u32(count).u32(0);
    for (const block of writer.starts) header.u64(setsStart + block);
    return await this.#append([header.bytes]);
  }
}
