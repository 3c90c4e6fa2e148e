import type { Context } from "#core";
import type { TreeNode } from "../../contract.ts";
import { ByteRecord } from "./byte-record.ts";
import { writeListing } from "./directory.ts";
import { IdTable } from "./id-table.ts";
import {
  INODE_TYPES,
  type InodeCommon,
  writeDirectoryInode,
  writeFileInode,
  writeSpecialInode,
} from "./inode.ts";
import { MetadataWriter } from "./metadata-writer.ts";
import type { SquashfsOptions } from "./options.ts";
import type { StoredFile } from "./stored-file.ts";
import { type Folder, orderTree, type TreeOrder } from "./tree-order.ts";
import { NO_XATTRS, XattrTable } from "./xattr-table.ts";

/** All that a tree becomes besides its files' bytes. */
export interface WrittenInodes {
  readonly inodes: MetadataWriter;
  readonly directories: MetadataWriter;
  readonly ids: IdTable;
  readonly xattrs: XattrTable;
  /** The inodes' references by number, from 1 on: the export table. */
  readonly references: Float64Array;
  readonly root: number;
}

/** Inodes written before other work gets its turn. */
const INODES_PER_TURN = 4096;
const MAX_U32 = 0xffff_ffff;

/** Writes the inodes and listings of a tree into memory. `storedOf` says where the bytes of a file are. */
export async function writeInodes(
  root: TreeNode,
  storedOf: (file: TreeNode) => StoredFile,
  options: SquashfsOptions,
  context: Context,
): Promise<WrittenInodes> {
  const isKept = (node: TreeNode): boolean => options.preserveDevices === true || !isDevice(node);
  const order = orderTree(root, isKept);
  const writer = new InodeWriter(order, storedOf, options);
  let written = 0;
  for (const folder of order.folders) {
    writer.write(folder);
    written += folder.names.length + 1;
    if (written < INODES_PER_TURN) continue;
    written = 0;
    await new Promise((resolve) => setImmediate(resolve));
    context.signal.throwIfAborted();
  }
  return writer.finish(root);
}

class InodeWriter {
  readonly #order: TreeOrder;
  readonly #storedOf: (file: TreeNode) => StoredFile;
  readonly #options: SquashfsOptions;
  readonly #inodes: MetadataWriter;
  readonly #directories: MetadataWriter;
  readonly #ids = new IdTable();
  readonly #xattrs: XattrTable;
  readonly #references: Float64Array;
  readonly #record = new ByteRecord();

  constructor(order: TreeOrder, storedOf: (file: TreeNode) => StoredFile, options: SquashfsOptions) {
    this.#order = order;
    this.#storedOf = storedOf;
    this.#options = options;
    this.#inodes = new MetadataWriter(options.codec);
    this.#directories = new MetadataWriter(options.codec);
    this.#xattrs = new XattrTable(options.codec);
    this.#references = new Float64Array(order.numbers.size).fill(Number.NaN);
  }

  /** Everything in the folder that is no folder itself, its listing, its own inode. */
  write(folder: Folder): void {
    for (const [, node] of folder.names)
      if (node.type !== "directory" && Number.isNaN(this.#referenceOf(node))) this.#writeOther(node);
    const entries = folder.names.map(([name, node]) => ({
      name,
      reference: this.#referenceOf(node),
      inode: this.#numberOf(node),
      type: INODE_TYPES[node.type],
    }));
    const listing = writeListing(entries, this.#directories);
    const subfolders = folder.names.filter(([, node]) => node.type === "directory").length;
    // The root has no parent: readers expect the number behind the last.
    const parent =
      folder.parent === undefined ? this.#references.length + 1 : this.#numberOf(folder.parent.node);
    const common = this.#common(folder.node, 2 + subfolders);
    writeDirectoryInode(this.#record.clear(), common, listing, parent);
    this.#keep(common.inode);
  }

  finish(root: TreeNode): WrittenInodes {
    return {
      inodes: this.#inodes,
      directories: this.#directories,
      ids: this.#ids,
      xattrs: this.#xattrs,
      references: this.#references,
      root: this.#referenceOf(root),
    };
  }

  #writeOther(node: TreeNode): void {
    const common = this.#common(node, node.links);
    this.#record.clear();
    if (node.type === "file") writeFileInode(this.#record, common, this.#storedOf(node));
    else writeSpecialInode(this.#record, common, node);
    this.#keep(common.inode);
  }

  #keep(inode: number): void {
    this.#references[inode - 1] = this.#inodes.reference;
    this.#inodes.write(this.#record.bytes);
  }

  #common(node: TreeNode, links: number): InodeCommon {
    const { allRoot, latestMtimeSeconds = MAX_U32, xattrs } = this.#options;
    return {
      mode: node.mode & 0o7777,
      uid: this.#ids.index(allRoot === true ? 0 : node.uid),
      gid: this.#ids.index(allRoot === true ? 0 : node.gid),
      mtime: clampSeconds(Math.min(node.mtimeSeconds, latestMtimeSeconds)),
      inode: this.#numberOf(node),
      links,
      xattr: xattrs === false ? NO_XATTRS : this.#xattrs.index(node.xattrs),
    };
  }

  #numberOf(node: TreeNode): number {
    return this.#order.numbers.get(node) ?? 0;
  }

  #referenceOf(node: TreeNode): number {
    return this.#references[this.#numberOf(node) - 1] ?? Number.NaN;
  }
}

/** squashfs times are 32 bits without a sign. */
export function clampSeconds(seconds: number): number {
  return Math.min(Math.max(Math.floor(seconds), 0), MAX_U32);
}

function isDevice(node: TreeNode): boolean {
  return node.type === "block" || node.type === "character";
}
