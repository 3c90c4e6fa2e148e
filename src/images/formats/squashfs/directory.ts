import { AppError } from "#core";
import { ByteRecord } from "./byte-record.ts";
import { METADATA_BLOCK_BYTES, type MetadataWriter } from "./metadata-writer.ts";

/** One name in a folder. */
export interface DirectoryEntry {
  /** latin1. */
  readonly name: string;
  /** Of the name's inode: where, which number, and which of the seven basic types. */
  readonly reference: number;
  readonly inode: number;
  readonly type: number;
}

/** A way into a long listing: from `offset` on stand `name` and all that sort behind it. */
export interface DirectoryIndexEntry {
  readonly offset: number;
  /** Of the metadata block, from the directory table's start. */
  readonly blockStart: number;
  readonly name: string;
}

export interface WrittenListing {
  readonly blockStart: number;
  readonly offset: number;
  readonly sizeBytes: number;
  readonly index: readonly DirectoryIndexEntry[];
}

/** Entries behind one header, which says where their inodes are: in one metadata block, with numbers near each other. */
const MAX_RUN = 256;
const MAX_DELTA = 32_767;
const MAX_NAME_BYTES = 256;

/** Writes a folder's listing. `entries` are sorted by bytes of the name, as readers search them. */
export function writeListing(entries: readonly DirectoryEntry[], table: MetadataWriter): WrittenListing {
  const { blockStart, offset } = table;
  const index: DirectoryIndexEntry[] = [];
  const record = new ByteRecord();
  let sizeBytes = 0;
  let indexedBlock = blockStart;
  for (let from = 0; from < entries.length; ) {
    const first = entries[from] as DirectoryEntry;
    if (table.blockStart !== indexedBlock) {
      indexedBlock = table.blockStart;
      index.push({ offset: sizeBytes, blockStart: indexedBlock, name: first.name });
    }
    const end = endOfRun(entries, from);
    record.clear();
    record
      .u32(end - from - 1)
      .u32(blockOf(first))
      .u32(first.inode);
    for (let at = from; at < end; at++) writeEntry(record, entries[at] as DirectoryEntry, first.inode);
    table.write(record.bytes);
    sizeBytes += record.length;
    from = end;
  }
  return { blockStart, offset, sizeBytes, index };
}

function writeEntry(record: ByteRecord, entry: DirectoryEntry, baseInode: number): void {
  if (entry.name.length > MAX_NAME_BYTES || entry.name.length === 0)
    throw new AppError("TOO_LARGE", `squashfs cannot hold a name of ${entry.name.length} bytes`);
  record
    .u16(entry.reference % 0x1_0000)
    .u16(entry.inode - baseInode)
    .u16(entry.type)
    .u16(entry.name.length - 1)
    .latin1(entry.name);
}

/** A run ends early too when it fills a metadata block, so that long listings get their index. */
function endOfRun(entries: readonly DirectoryEntry[], from: number): number {
  const first = entries[from] as DirectoryEntry;
  let bytes = 0;
  for (let at = from; at < entries.length; at++) {
    const entry = entries[at] as DirectoryEntry;
    bytes += 8 + entry.name.length;
    const isFar = Math.abs(entry.inode - first.inode) > MAX_DELTA || blockOf(entry) !== blockOf(first);
    if (at > from && (isFar || at - from === MAX_RUN || bytes > METADATA_BLOCK_BYTES)) return at;
  }
  return entries.length;
}

function blockOf(entry: DirectoryEntry): number {
  return Math.floor(entry.reference / 0x1_0000);
}
