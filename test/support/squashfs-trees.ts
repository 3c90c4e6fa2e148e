import { createHash } from "node:crypto";
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
  /** The bytes of files that are too large to hold; by default what is in the node. */
  readonly pieces?: (file: TreeNode) => Iterable<Uint8Array>;
}

/** Writes a tree of such nodes into a file; gives the size of the squashfs. */
export async function writeTree(root: TreeNode, path: string, options: WriteTreeOptions): Promise<number> {
  const { pieceBytes = 100_000 } = options;
  const sink = await createLocalFileSink(path, { mode: 0o644 });
  const writer = new SquashfsWriter(sink, options);
  try {
    const stored = new Map<TreeNode, StoredFile>();
    for (const node of filesOf(root)) {
      writer.begin(node.sizeBytes);
      const own = node.content === undefined ? options.pieces?.(node) : undefined;
      for (const piece of own ?? piecesOf(node, pieceBytes)) {
        await writer.write(piece);
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

function* piecesOf({ content }: TreeNode, pieceBytes: number): Generator<Uint8Array> {
  if (content === undefined || !("bytes" in content)) return;
  const { bytes } = content;
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
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

/** One of each kind, with every awkwardness that fits into a few megabytes. */
export function everyKind(): TreeNode {
  const linked = fileNode(textBytes(300_000, 7), { links: 3, uid: 1, gid: 2 });
  const holes = new Uint8Array(1_000_000);
  holes.set(textBytes(1000, 3), 400_000);
  return folderNode(
    {
      empty: fileNode(""),
      one: fileNode("1", { mode: 0o4755, uid: 1000, gid: 1000 }),
      hidden: fileNode("secret", { mode: 0 }),
      "block minus one": fileNode(textBytes(128 * 1024 - 1, 4)),
      block: fileNode(textBytes(128 * 1024, 5)),
      "block and one": fileNode(textBytes(128 * 1024 + 1, 6)),
      first: linked,
      "only zeros": fileNode(new Uint8Array(1_000_000)),
      "few zeros": fileNode(new Uint8Array(5000)),
      holes: fileNode(holes),
      noise: fileNode(noiseBytes(600_000)),
      large: fileNode(textBytes(3_000_000, 8)),
      "large again": fileNode(textBytes(3_000_000, 8)),
      "small again": fileNode("1"),
      sub: folderNode(
        { second: linked, nothing: folderNode({}, { mode: 0o700 }), deep: folderNode({ third: linked }) },
        { mode: 0o1777, uid: 4_294_967_294, gid: 65_534, mtimeSeconds: 0 },
      ),
      link: treeNode("symlink", { linkTarget: "../no/where", mode: 0o777 }),
      "long link": treeNode("symlink", { linkTarget: "x/".repeat(1500), mode: 0o777 }),
      pipe: treeNode("fifo", { mode: 0o600 }),
      tty: treeNode("character", { device: { major: 4, minor: 64 }, mode: 0o620, gid: 5 }),
      disk: treeNode("block", { device: { major: 259, minor: 70_000 }, mode: 0o660 }),
      "\xff\xfe caf\xe9": fileNode("bytes that are no UTF-8"),
      ["l".repeat(255)]: fileNode("a long name"),
      "new\nline": fileNode("n"),
    },
    { mode: 0o750 },
  );
}

/** Bytes that do not compress; the same every time. */
export function noiseBytes(sizeBytes: number): Uint8Array {
  const parts: Buffer[] = [];
  for (let at = 0; at < sizeBytes; at += 32) parts.push(createHash("sha256").update(`${at}`).digest());
  return Buffer.concat(parts).subarray(0, sizeBytes);
}
