import type { BlockCodec } from "#system";
import { ByteRecord } from "./byte-record.ts";

export const SUPERBLOCK_BYTES = 96;
const MAGIC = 0x7371_7368;

/** What the codec is called on disk. Without compression it is gzip's number, and nothing is compressed with it. */
const CODEC_IDS = { gzip: 1, none: 1, zstd: 6 } as const;

const FLAGS = {
  inodesKept: 0x1,
  dataKept: 0x2,
  fragmentsKept: 0x8,
  duplicatesRemoved: 0x40,
  exportable: 0x80,
  xattrsKept: 0x100,
  noXattrs: 0x200,
  codecOptions: 0x400,
  idsKept: 0x800,
} as const;

/** Levels that readers assume when the image does not name one (mksquashfs's defaults). */
const DEFAULT_LEVELS = { gzip: 9, zstd: 15 } as const;

/** Where the tables lie, in bytes from the superblock; undefined for one that is not there. */
export interface Superblock {
  readonly codec: BlockCodec;
  readonly blockBytes: number;
  /** Seconds, already within 32 bits. */
  readonly madeAt: number;
  readonly inodes: number;
  readonly fragments: number;
  readonly ids: number;
  /** Reference of the root folder's inode. */
  readonly root: number;
  /** Without the padding. */
  readonly usedBytes: number;
  readonly inodeTable: number;
  readonly directoryTable: number;
  readonly fragmentTable: number;
  readonly exportTable: number;
  readonly idTable: number;
  readonly xattrTable: number | undefined;
}

export function renderSuperblock(block: Superblock): Uint8Array {
  let flags = FLAGS.duplicatesRemoved | FLAGS.exportable;
  if (block.codec.name === "none")
    flags |= FLAGS.inodesKept | FLAGS.dataKept | FLAGS.fragmentsKept | FLAGS.xattrsKept | FLAGS.idsKept;
  if (renderCodecOptions(block.codec).length > 0) flags |= FLAGS.codecOptions;
  if (block.xattrTable === undefined) flags |= FLAGS.noXattrs;
  return new ByteRecord(SUPERBLOCK_BYTES)
    .u32(MAGIC)
    .u32(block.inodes)
    .u32(block.madeAt)
    .u32(block.blockBytes)
    .u32(block.fragments)
    .u16(CODEC_IDS[block.codec.name])
    .u16(Math.log2(block.blockBytes))
    .u16(flags)
    .u16(block.ids)
    .u16(4)
    .u16(0)
    .u64(block.root)
    .u64(block.usedBytes)
    .u64(block.idTable)
    .u64(block.xattrTable)
    .u64(block.inodeTable)
    .u64(block.directoryTable)
    .u64(block.fragmentTable)
    .u64(block.exportTable).bytes;
}

/** The block behind the superblock that tells the level (readers only show it); empty where it is the default. */
export function renderCodecOptions(codec: BlockCodec): Uint8Array {
  if (codec.name === "none" || codec.level === DEFAULT_LEVELS[codec.name]) return new Uint8Array(0);
  if (codec.name === "zstd") return new ByteRecord().u16(0x8000 | 4).u32(codec.level).bytes;
  const windowBits = 15;
  const defaultStrategy = 0;
  return new ByteRecord()
    .u16(0x8000 | 8)
    .u32(codec.level)
    .u16(windowBits)
    .u16(defaultStrategy).bytes;
}
