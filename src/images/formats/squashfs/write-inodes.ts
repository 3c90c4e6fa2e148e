import type { Context } from "#core";
import type { TreeNode } from "../../contract.ts";
import { ByteRecord } from "./byte-record.ts";
import { type DirectoryEntry, writeListing } from "./directory.ts";
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
  const writer = new InodeWriter(root, storedOf, options);
  let written = 0;
  for (const folder of writer.folders) {
    writer.write(folder);
    written += (folder.node.children?.size ?? 0) + 1;
    if (written < INODES_PER_TURN) continue;
    written = 0;
    await new Promise((resolve) => setImmediate(resolve));
    context.signal.throwIfAborted();
  }
  return writer.finish();
}

class InodeWriter {
  readonly #root: TreeNode;
  readonly #order: TreeOrder;
  readonly #storedOf: (file: TreeNode) => StoredFile;
  readonly #options: SquashfsOptions;
  readonly #inodes: MetadataWriter;
  readonly #directories: MetadataWriter;
  readonly #ids = new IdTable();
  readonly #xattrs: XattrTable;
  readonly #references: Float64Array;
  readonly #record = new ByteRecord();

  constructor(root: TreeNode, storedOf: (file: TreeNode) => StoredFile, options: SquashfsOptions) {
    this.#root = root;
    this.#storedOf = storedOf;
    this.#options = options;
    this.#order = orderTree(root, (node) => this.#isKept(node));
    this.#inodes = new MetadataWriter(options.codec);
    this.#directories = new MetadataWriter(options.codec);
    this.#xattrs = new XattrTable(options.codec);
    this.#references = new Float64Array(this.#order.count).fill(Number.NaN);
  }

  get folders(): readonly Folder[] {
    return this.#order.folders;
  }

  /** Everything in the folder that is no folder itself, its listing, its own inode. */
  write(folder: Folder): void {
    const { node } = folder;
    const entries: DirectoryEntry[] = [];
    let own = folder.firstNumber;
    let subfolders = 0;
    // By bytes: a latin1 character is one.
    for (const name of [...(node.children?.keys() ?? [])].sort()) {
      const child = node.children?.get(name);
      if (child === undefined || !this.#isKept(child)) continue;
      const inode = this.#order.numbers.get(child) ?? own++;
      if (child.type === "directory") subfolders++;
      else if (Number.isNaN(this.#referenceOf(inode))) this.#writeOther(child, inode);
      entries.push({ name, reference: this.#referenceOf(inode), inode, type: INODE_TYPES[child.type] });
    }
    const listing = writeListing(entries, this.#directories);
    // The root has no parent: readers expect the number behind the last.
    const parent = folder.parent === undefined ? this.#order.count + 1 : this.#numberOf(folder.parent.node);
    const common = this.#common(node, this.#numberOf(node), 2 + subfolders);
    writeDirectoryInode(this.#record.clear(), common, listing, parent);
    this.#keep(common.inode);
  }

  finish(): WrittenInodes {
    return {
      inodes: this.#inodes,
      directories: this.#directories,
      ids: this.#ids,
      xattrs: this.#xattrs,
      references: this.#references,
      root: this.#referenceOf(this.#numberOf(this.#root)),
    };
  }

  #writeOther(node: TreeNode, inode: number): void {
    const common = this.#common(node, inode, node.links);
    this.#record.clear();
    if (node.type === "file") writeFileInode(this.#record, common, this.#storedOf(node));
    else writeSpecialInode(this.#record, common, node);
    this.#keep(common.inode);
  }

  #keep(inode: number): void {
    this.#references[inode - 1] = this.#inodes.reference;
    this.#inodes.write(this.#record.bytes);
  }

  #common(node: TreeNode, inode: number, links: number): InodeCommon {
    const { allRoot, latestMtimeSeconds = MAX_U32, xattrs } = this.#options;
    return {
      mode: node.mode & 0o7777,
      uid: this.#ids.index(allRoot === true ? 0 : node.uid),
      gid: this.#ids.index(allRoot === true ? 0 : node.gid),
      mtime: clampSeconds(Math.min(node.mtimeSeconds, latestMtimeSeconds)),
      inode,
      links,
      xattr: xattrs === false ? NO_XATTRS : this.#xattrs.index(node.xattrs),
    };
  }

  #isKept(node: TreeNode): boolean {
    return this.#options.preserveDevices === true || (node.type !== "block" && node.type !== "character");
  }

  /** Of a folder. */
  #numberOf(node: TreeNode): number {
    return this.#order.numbers.get(node) ?? 0;
  }

  #referenceOf(inode: number): number {
    return this.#references[inode - 1] ?? Number.NaN;
  }
}

/** squashfs times are 32 bits without a sign. */
export function clampSeconds(seconds: number): number {
  return Math.min(Math.max(Math.floor(seconds), 0), MAX_U32);
}
