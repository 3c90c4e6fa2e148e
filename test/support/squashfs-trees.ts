import { silentLogger } from "#core";
import type { TreeNode } from "../../src/images/contract.ts";
import type { SquashfsOptions } from "../../src/images/formats/squashfs/options.ts";
import { SquashfsWriter } from "../../src/images/formats/squashfs/squashfs-writer.ts";
import { EMPTY_FILE, type StoredFile } from "../../src/images/formats/squashfs/stored-file.ts";
import { createLocalFileSink } from "../../src/images/sinks/local-file.ts";

/** A node of a tree made by hand; a file's bytes are in it. */
export function treeNode(type: TreeNode["type"], own: Partial<TreeNode> = {}): TreeNode {
  return {
    type,
    mode: type === "directory" ? 0o755 : 0o644,
    uid: 0,
    gid: 0,
    mtimeSeconds: 1_000_000_000,
    xattrs: undefined,
    linkTarget: "",
    device: undefined,
    links: 1,
    sizeBytes: 0,
    content: undefined,
    children: type === "directory" ? new Map() : undefined,
    ...own,
  };
}

export function fileNode(content: Uint8Array | string, own: Partial<TreeNode> = {}): TreeNode {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  return treeNode("file", { sizeBytes: bytes.length, content: { bytes }, ...own });
}

export function folderNode(
  children: Readonly<{ [name: string]: TreeNode }>,
  own: Partial<TreeNode> = {},
): TreeNode {
  return treeNode("directory", { children: new Map(Object.entries(children)), ...own });
}

/** Bytes that compress about as a program does; the same for the same seed. */
export function textBytes(sizeBytes: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  let state = (seed * 2_654_435_761 + 1) >>> 0;
  for (let at = 0; at < sizeBytes; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[at] = 97 + ((state >>> 24) & 7);
  }
  return bytes;
}

export interface WriteTreeOptions extends SquashfsOptions {
  /** Bytes of one `write`: how the source comes in. */
  readonly pieceBytes?: number;
  /** Lets other work run between two pieces. */
  readonly isSlow?: boolean;
}

/** Writes a tree of such nodes into a file; gives the size of the squashfs. */
export async function writeTree(root: TreeNode, path: string, options: WriteTreeOptions): Promise<number> {
  const { pieceBytes = 100_000 } = options;
  const sink = await createLocalFileSink(path, { mode: 0o644 });
  const writer = new SquashfsWriter(sink, options);
  try {
    const stored = new Map<TreeNode, StoredFile>();
    for (const node of filesOf(root)) {
      const bytes =
        node.content !== undefined && "bytes" in node.content ? node.content.bytes : new Uint8Array(0);
      writer.begin(bytes.length);
      for (let at = 0; at < bytes.length; at += pieceBytes) {
        await writer.write(bytes.subarray(at, at + pieceBytes));
        if (options.isSlow === true) await new Promise((resolve) => setImmediate(resolve));
      }
      stored.set(node, await writer.end());
    }
    const context = { signal: new AbortController().signal, log: silentLogger };
    const { sizeBytes } = await writer.finish(root, (node) => stored.get(node) ?? EMPTY_FILE, context);
    await sink.finish((options.offsetBytes ?? 0) + sizeBytes);
    return sizeBytes;
  } finally {
    writer.close();
    await sink.abort();
  }
}

/** Every file of a tree once, in the order of the children. */
function filesOf(root: TreeNode): Set<TreeNode> {
  const found = new Set<TreeNode>();
  const visit = (node: TreeNode): void => {
    if (node.type === "file") found.add(node);
    for (const child of node.children?.values() ?? []) visit(child);
  };
  visit(root);
  return found;
}
