import { afterAll, expect } from "bun:test";
import { createHash } from "node:crypto";
import { closeSync, mkdirSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import fc from "fast-check";
import { silentLogger } from "#core";
import { listTree } from "../../../../test/support/list-tree.ts";
import { createContentRecorder, memoryLayer } from "../../../../test/support/memory-layer.ts";
import { needs, needsThat, programPath, type Test } from "../../../../test/support/programs.ts";
import { mustRun } from "../../../../test/support/run-program.ts";
import { createScratch } from "../../../../test/support/scratch.ts";
import {
  everyKind,
  fileNode,
  folderNode,
  noiseBytes,
  textBytes,
  treeNode,
  writeTree,
} from "../../../../test/support/squashfs-trees.ts";
import { describeTree, type TreeLines } from "../../../../test/support/tree-lines.ts";
import type { TreeNode } from "../../contract.ts";
import { mergeLayers } from "../../layers/merge-layers.ts";
import { readLayer } from "../../layers/read-layer.ts";

const scratch = createScratch("squashfs-judges");
afterAll(() => {
  scratch.remove();
});
let made = 0;

const isRoot = process.getuid?.() === 0;
const hasKernel =
  isRoot && /^\s+squashfs$|^nodev\s+squashfs$/m.test(readFileSync("/proc/filesystems", "utf8"));
const mounts: Test = hasKernel
  ? needs("mount", "umount")
  : needsThat(false, "needs root and squashfs in the kernel");
const context = { signal: new AbortController().signal, log: silentLogger };
const EMPTY = createHash("sha256").digest("hex");
const gzip = { name: "gzip", level: 6 } as const;

mounts(
  "the kernel mounts it and finds every inode, in long listings too, where it begins in the middle of a file",
  async () => {
    const children: { [name: string]: TreeNode } = {};
    for (let file = 0; file < 5000; file++)
      children[`${"n".repeat(30)}-${file}`] = fileNode(`content ${file}`);
    const root = everyKind();
    root.children?.set("many", folderNode(children));
    const image = scratch.at(`image-${made++}`);
    const sizeBytes = await writeTree(root, image, {
      codec: gzip,
      preserveDevices: true,
      offsetBytes: 36_864,
    });
    expect(statSync(image).size).toBe(36_864 + sizeBytes);
    expect(sizeBytes % 4096).toBe(0);
    const folder = scratch.at(`mount-${made++}`);
    mkdirSync(folder);
    await mustRun([programPath("mount"), "-t", "squashfs", "-o", "ro,loop,offset=36864", image, folder]);
    try {
      expect(listTree(folder)).toEqual(describeTree(root));
      // Found by the listing's index, not by reading all of it.
      expect(readFileSync(`${folder}/many/${"n".repeat(30)}-4999`, "latin1")).toBe("content 4999");
      expect(() => statSync(`${folder}/many/${"n".repeat(30)}-5000`)).toThrow("ENOENT");
    } finally {
      await mustRun([programPath("umount"), folder]);
    }
  },
);

needs("sqfs2tar")(
  "sqfs2tar, another implementation, makes the same tree of it, in an archive that is read back",
  async () => {
    const root = everyKind();
    root.children?.set("marked", fileNode("m", { xattrs: new Map([["user.mark", Buffer.from("\0\n")]]) }));
    const image = scratch.at(`image-${made++}`);
    await writeTree(root, image, { codec: { name: "zstd", level: 3 }, preserveDevices: true });
    const tar = scratch.at(`tar-${made++}`);
    await mustRun(["/bin/sh", "-c", 'exec "$0" "$1" > "$2"', programPath("sqfs2tar"), image, tar]);
    const recorder = createContentRecorder();
    const index = await readLayer(memoryLayer(readFileSync(tar)), recorder, context);
    const found = describeTree(
      mergeLayers([index]),
      ({ entry }) => recorder.contents.get(entry)?.sha256 ?? EMPTY,
    );
    const expected = describeTree(root);
    // The archive has no entry for the root itself.
    for (const lines of [found, expected]) (lines as Map<string, unknown>).delete("");
    expect(found).toEqual(expected);
  },
);

const fuses = isRoot ? needs("squashfuse", "umount") : needsThat(false, "needs root");

fuses("squashfuse, which Apptainer mounts with where there is no root, reads it", async () => {
  const root = everyKind();
  const image = scratch.at(`image-${made++}`);
  await writeTree(root, image, { codec: gzip, preserveDevices: true, offsetBytes: 8192 });
  const folder = scratch.at(`mount-${made++}`);
  mkdirSync(folder);
  await mustRun([programPath("squashfuse"), "-o", "offset=8192", image, folder]);
  // It gives every name a number of its own.
  const apart = (lines: TreeLines): unknown =>
    [...lines].map(([path, line]) => [path, { ...line, sameAs: "" }]);
  try {
    expect(apart(listTree(folder))).toEqual(apart(describeTree(root)));
  } finally {
    await mustRun([programPath("umount"), "-l", folder]);
  }
});

const attributes = isRoot ? needs("unsquashfs", "getfattr", "sqfs2tar") : needsThat(false, "needs root");

attributes("extended attributes come out as they went in, shared values too", async () => {
  const capability = Buffer.from("0100000200040000000000000000000000000000", "hex");
  const long = noiseBytes(3000);
  const some = new Map([
    ["security.capability", capability],
    ["user.empty", new Uint8Array(0)],
    ["user.long", long],
  ]);
  const root = folderNode(
    {
      a: fileNode("a", { xattrs: some }),
      "a too": fileNode("a", { xattrs: new Map([...some].reverse()) }),
      b: fileNode("b", { xattrs: new Map([["user.other", long]]) }),
      folder: folderNode({}, { xattrs: new Map([["trusted.x", Buffer.from([0, 10, 255])]]) }),
      link: treeNode("symlink", { linkTarget: "a", xattrs: new Map([["trusted.l", Buffer.from("l")]]) }),
      pipe: treeNode("fifo", { xattrs: new Map([["trusted.p", Buffer.from("p")]]) }),
      none: fileNode("none", { xattrs: new Map([["system.posix_acl_access", Buffer.from("no")]]) }),
    },
    { xattrs: new Map([["user.root", Buffer.from("r")]]) },
  );
  const image = scratch.at(`image-${made++}`);
  await writeTree(root, image, { codec: gzip });
  const folder = scratch.at(`folder-${made++}`);
  await mustRun([programPath("unsquashfs"), "-quiet", "-no-progress", "-dest", folder, image]);
  const dump = await mustRun([programPath("getfattr"), "-R", "-h", "-d", "-m", "-", "-e", "hex", "."], {
    cwd: folder,
  });
  const hex = (bytes: Uint8Array): string => `0x${Buffer.from(bytes).toString("hex")}`;
  const found = dump.trim().split("\n\n").sort();
  expect(found).toEqual(
    [
      `# file: .\nuser.root=${hex(Buffer.from("r"))}`,
      `# file: a\nsecurity.capability=${hex(capability)}\nuser.empty\nuser.long=${hex(long)}`,
      `# file: a too\nsecurity.capability=${hex(capability)}\nuser.empty\nuser.long=${hex(long)}`,
      `# file: b\nuser.other=${hex(long)}`,
      `# file: folder\ntrusted.x=0x000aff`,
      `# file: link\ntrusted.l=${hex(Buffer.from("l"))}`,
      `# file: pipe\ntrusted.p=${hex(Buffer.from("p"))}`,
    ]
      .map((text) => text.replace("user.empty", "user.empty=0x"))
      .sort(),
  );
  // Another reader of the same tables.
  await mustRun([programPath("sqfs2tar"), image]);
  expect(await mustRun([programPath("unsquashfs"), "-s", image])).toContain("Number of xattr ids 6");
});

const lists = isRoot ? needs("unsquashfs") : needsThat(false, "needs root");

lists(
  "a file beyond 4 GiB, nearly all of it holes",
  async () => {
    const tail = noiseBytes(5000);
    const image = scratch.at(`image-${made++}`);
    const sizeBytes = 4 * 1024 ** 3 + 100_000;
    const zeros = new Uint8Array(4 * 1024 * 1024);
    const root = folderNode({
      big: treeNode("file", { sizeBytes }),
      small: fileNode("behind it"),
    });
    await writeTree(root, image, {
      codec: gzip,
      blockBytes: 1024 * 1024,
      *pieces(node) {
        if (node !== root.children?.get("big")) return;
        let left = sizeBytes - tail.length;
        for (; left > 0; left -= Math.min(left, zeros.length)) yield zeros.subarray(0, left);
        yield tail;
      },
    });
    expect(statSync(image).size).toBeLessThan(100_000);
    const folder = scratch.at(`folder-${made++}`);
    await mustRun([programPath("unsquashfs"), "-quiet", "-no-progress", "-dest", folder, image]);
    expect(statSync(`${folder}/big`).size).toBe(sizeBytes);
    const big = openSync(`${folder}/big`, "r");
    const end = Buffer.alloc(6000);
    expect(readSync(big, end, 0, 6000, sizeBytes - 6000)).toBe(6000);
    closeSync(big);
    expect(end.subarray(1000).equals(tail)).toBe(true);
    expect(end.subarray(0, 1000).every((byte) => byte === 0)).toBe(true);
    expect(readFileSync(`${folder}/small`, "latin1")).toBe("behind it");
  },
  120_000,
);

const attribute = {
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: fc.constantFrom(0, 1, 1000, 4_000_000_000),
  gid: fc.constantFrom(0, 5, 70_000),
  mtimeSeconds: fc.constantFrom(0, 1, 1_700_000_000, 4_294_967_295),
};
const name = fc
  .oneof(
    fc.string({
      unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)),
      minLength: 1,
      maxLength: 8,
    }),
    fc.integer({ min: 1, max: 255 }).map((length) => "n".repeat(length)),
  )
  .filter((text) => !text.includes("/") && text !== "." && text !== "..");
// Around the block size, where blocks end and fragments begin.
const size = fc.oneof(
  fc.integer({ min: 0, max: 100 }),
  fc.integer({ min: 0, max: 20_000 }),
  fc.constantFrom(4095, 4096, 4097, 8191, 8192, 12_289),
);
const content = fc.oneof(
  fc.tuple(size, fc.integer({ min: 0, max: 5 })).map(([bytes, seed]) => textBytes(bytes, seed)),
  size.map((bytes) => new Uint8Array(bytes)),
  size.map((bytes) => noiseBytes(bytes)),
);
const tree = fc.letrec<{ folder: TreeNode; node: TreeNode }>((tie) => ({
  folder: fc
    .tuple(fc.array(fc.tuple(name, tie("node")), { maxLength: 8 }), fc.record(attribute))
    .map(([children, own]) => treeNode("directory", { ...own, children: new Map(children) })),
  node: fc.oneof(
    { maxDepth: 3, depthIdentifier: "tree" },
    {
      weight: 4,
      arbitrary: fc.tuple(content, fc.record(attribute)).map(([bytes, own]) => fileNode(bytes, own)),
    },
    { weight: 1, arbitrary: name.map((linkTarget) => treeNode("symlink", { linkTarget, mode: 0o777 })) },
    { weight: 1, arbitrary: fc.record(attribute).map((own) => treeNode("fifo", own)) },
    { weight: 3, arbitrary: tie("folder") },
  ),
})).folder;

lists(
  "random trees come out as they went in",
  async () => {
    const codec = fc.constantFrom(
      { name: "gzip", level: 1 } as const,
      { name: "zstd", level: 1 } as const,
      { name: "none" } as const,
    );
    await fc.assert(
      fc.asyncProperty(tree, codec, async (root, chosen) => {
        const image = scratch.at(`image-${made++}`);
        await writeTree(root, image, { codec: chosen, blockBytes: 4096, workers: 2 });
        const folder = scratch.at(`folder-${made++}`);
        await mustRun([programPath("unsquashfs"), "-quiet", "-no-progress", "-dest", folder, image]);
        expect(listTree(folder)).toEqual(describeTree(root));
      }),
      { numRuns: 60, seed: 5 },
    );
  },
  240_000,
);
