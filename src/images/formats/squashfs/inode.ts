import { AppError } from "#core";
import type { TreeNode } from "../../contract.ts";
import type { ByteRecord } from "./byte-record.ts";
import type { WrittenListing } from "./directory.ts";
import type { StoredFile } from "./stored-file.ts";
import { NO_XATTRS } from "./xattr-table.ts";

/** Basic types; the extended form of each is seven higher. Listings name the basic type always. */
export const INODE_TYPES = {
  directory: 1,
  file: 2,
  symlink: 3,
  block: 4,
  character: 5,
  fifo: 6,
} as const satisfies { readonly [type in TreeNode["type"]]: number };
const EXTENDED = 7;

/** Linux: 12 and 20 bits. */
const MAX_MAJOR = 0xfff;
const MAX_MINOR = 0xf_ffff;

/** What stands at the start of every inode, besides its type. */
export interface InodeCommon {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: number;
  readonly inode: number;
  readonly links: number;
  /** In the xattr table. */
  readonly xattr: number;
}

/** The length that readers expect of a listing counts "." and "..", which are not in it. */
const DOTS_BYTES = 3;

export function writeDirectoryInode(
  record: ByteRecord,
  common: InodeCommon,
  listing: WrittenListing,
  parent: number,
): void {
  const size = listing.sizeBytes + DOTS_BYTES;
  if (common.xattr === NO_XATTRS && size <= 0xffff) {
    writeCommon(record, INODE_TYPES.directory, common);
    record.u32(listing.blockStart).u32(common.links).u16(size).u16(listing.offset).u32(parent);
    return;
  }
  writeCommon(record, INODE_TYPES.directory + EXTENDED, common);
  // The count has 16 bits; readers scan from the last way in.
  const index = listing.index.slice(0, 0xffff);
  record.u32(common.links).u32(size).u32(listing.blockStart).u32(parent);
  record.u16(index.length).u16(listing.offset).u32(common.xattr);
  for (const entry of index)
    record
      .u32(entry.offset)
      .u32(entry.blockStart)
      .u32(entry.name.length - 1)
      .latin1(entry.name);
}

export function writeFileInode(record: ByteRecord, common: InodeCommon, file: StoredFile): void {
  const isBasic =
    common.links === 1 &&
    common.xattr === NO_XATTRS &&
    file.holeBytes === 0 &&
    file.sizeBytes <= 0xffff_ffff &&
    file.startBytes <= 0xffff_ffff;
  if (isBasic) {
    writeCommon(record, INODE_TYPES.file, common);
    record.u32(file.startBytes).u32(file.fragment).u32(file.fragmentOffset).u32(file.sizeBytes);
  } else {
    writeCommon(record, INODE_TYPES.file + EXTENDED, common);
    // All of it would read as a file that takes no room, which some programs take for an empty one.
    const holes = Math.min(file.holeBytes, file.sizeBytes - 1);
    record.u64(file.startBytes).u64(file.sizeBytes).u64(Math.max(holes, 0)).u32(common.links);
    record.u32(file.fragment).u32(file.fragmentOffset).u32(common.xattr);
  }
  for (const size of file.blockSizes) record.u32(size);
}

/** Symlinks, devices and pipes. */
export function writeSpecialInode(record: ByteRecord, common: InodeCommon, node: TreeNode): void {
  const isExtended = common.xattr !== NO_XATTRS;
  writeCommon(record, INODE_TYPES[node.type] + (isExtended ? EXTENDED : 0), common);
  record.u32(common.links);
  if (node.type === "symlink") record.u32(node.linkTarget.length).latin1(node.linkTarget);
  if (node.device !== undefined) record.u32(deviceNumber(node.device.major, node.device.minor));
  if (isExtended) record.u32(common.xattr);
}

/** As Linux packs it: the minor's low byte, the major, the rest of the minor. */
function deviceNumber(major: number, minor: number): number {
  if (major > MAX_MAJOR || minor > MAX_MINOR)
    throw new AppError("UNSUPPORTED", `squashfs cannot hold a device of the numbers ${major}, ${minor}`);
  return ((major << 8) | (minor & 0xff) | ((minor & ~0xff) << 12)) >>> 0;
}

function writeCommon(record: ByteRecord, type: number, common: InodeCommon): void {
  record.u16(type).u16(common.mode).u16(common.uid).u16(common.gid).u32(common.mtime).u32(common.inode);
}
