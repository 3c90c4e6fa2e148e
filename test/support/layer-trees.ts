import { silentLogger } from "#core";
import type { LayerBlob, TreeNode } from "../../src/images/contract.ts";
import { readContents, readTree } from "../../src/images/layers/tree-contents.ts";
import { namesOfTree } from "../../src/images/layers/tree-names.ts";
import { memoryLayer } from "./memory-layer.ts";
import { paxHeader, renderTar, type TarItem, tarEntry } from "./tar-writer.ts";

const context = { signal: new AbortController().signal, log: silentLogger };

/** The merged tree of layers, with every file's bytes in it: what a folder or archive made of them is compared with. */
export async function treeWithBytes(layers: readonly LayerBlob[]): Promise<TreeNode> {
  const root = await readTree(layers, context);
  const files = [...namesOfTree(root).keys()].filter(({ type }) => type === "file");
  const bytes = new Map<TreeNode, Buffer>();
  let file: TreeNode | undefined;
  const receiver = {
    begin(next: TreeNode) {
      file = next;
      bytes.set(next, Buffer.alloc(0));
    },
    write(piece: Uint8Array) {
      if (file !== undefined) bytes.set(file, Buffer.concat([bytes.get(file) ?? Buffer.alloc(0), piece]));
    },
    end: () => undefined,
  };
  await readContents(layers, files, receiver, context);
  for (const [node, content] of bytes) node.content = { bytes: content };
  return root;
}

/** Layers of these items, packed by gzip, zstd and not at all in turns. */
export function layersOf(...layers: readonly (readonly TarItem[])[]): LayerBlob[] {
  const packings = ["gzip", "zstd", "plain"] as const;
  return layers.map((items, index) => memoryLayer(renderTar(items.map(tarEntry)), packings[index % 3]));
}

/** Two layers with one of everything that an image can hold. `dev` says whether device nodes are among it. */
export function everyKindOfEntry(dev: boolean): LayerBlob[] {
  const capability = Buffer.from("0100000200040000000000000000000000000000", "hex");
  const lower: TarItem[] = [
    { path: "./", mode: 0o751, mtime: 1_600_000_000 },
    { path: "bin/", mode: 0o755, mtime: 1_500_000_000 },
    { path: "bin/su", mode: 0o4755, content: "set user", mtime: 5 },
    { path: "bin/ping", content: "cap", xattrs: { "security.capability": capability, "user.a": "\0\n=" } },
    { path: "bin/link", linkTarget: "../nowhere/at/all", mode: 0o777, mtime: 7, uid: 4, gid: 5 },
    { path: "bin/same link", type: "1", linkTarget: "bin/link" },
    { path: "closed/", mode: 0, mtime: 8 },
    { path: "closed/inside", mode: 0, content: "nobody reads this", uid: 12, gid: 13 },
    { path: "closed/also", type: "1", linkTarget: "closed/inside" },
    { path: "tmp/", mode: 0o1777, xattrs: { "user.folder": "f" } },
    { path: "gone", content: "gone" },
    { path: "empty" },
    { path: "old", content: "x", mtime: -86_400 },
    { path: "late", content: "x", mtime: 4_400_000_000 },
    { path: "far", content: "x", uid: 3_000_000, gid: 4_000_000 },
    { path: `${"long/".repeat(30)}file`, content: "long" },
    { path: "n".repeat(255), content: "name" },
    { path: "to long", linkTarget: "t".repeat(300), mode: 0o777 },
    { path: "caf\xe9", content: "latin1" },
    { path: `\xff\xfe${"z".repeat(150)}`, content: "no utf-8, long" },
    { path: "gr\xc3\xbcn", content: "utf-8" },
    { path: "pipe", type: "6", mode: 0o600 },
    { path: "big", content: Buffer.alloc(2_500_000, "abcdefghijk") },
  ];
  const devices: TarItem[] = [
    { path: "dev/null", type: "3", device: [1, 3], mode: 0o666 },
    { path: "dev/disk", type: "4", device: [259, 70_000], mode: 0o660, gid: 6 },
  ];
  const upper: TarItem[] = [
    { path: ".wh.gone" },
    { path: "second name", type: "1", linkTarget: "big" },
    { path: "bin/su", mode: 0o6711, content: "set user again" },
    { path: "etc/deep/file", content: "upper" },
  ];
  return [
    memoryLayer(renderTar([paxHeader([["comment", "all"]], "g"), ...lower.map(tarEntry)]), "gzip"),
    memoryLayer(renderTar([...(dev ? devices : []), ...upper].map(tarEntry)), "zstd"),
  ];
}
