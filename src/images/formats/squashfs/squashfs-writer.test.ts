import { afterAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { listTree } from "../../../../test/support/list-tree.ts";
import { needs, needsThat, programPath } from "../../../../test/support/programs.ts";
import { mustRun } from "../../../../test/support/run-program.ts";
import { createScratch } from "../../../../test/support/scratch.ts";
import {
  everyKind,
  fileNode,
  folderNode,
  textBytes,
  treeNode,
  type WriteTreeOptions,
  writeTree,
} from "../../../../test/support/squashfs-trees.ts";
import { describeTree, type TreeLines } from "../../../../test/support/tree-lines.ts";
import type { TreeNode } from "../../contract.ts";

const scratch = createScratch("squashfs");
afterAll(() => {
  scratch.remove();
});
let made = 0;

/** Owners, devices and times come out of it only for root. */
const isRoot = process.getuid?.() === 0;
const extracts = isRoot ? needs("unsquashfs") : needsThat(false, "needs root");

const codecs = [
  { name: "gzip", level: 6 },
  { name: "gzip", level: 9 },
  { name: "zstd", level: 3 },
  { name: "none" },
] as const;

describe.each(codecs.map((codec) => [JSON.stringify(codec), codec] as const))("%s", (_, codec) => {
  extracts("unsquashfs makes of it what went in, inode for inode", async () => {
    const root = everyKind();
    expect(await extract(root, { codec, preserveDevices: true })).toEqual(describeTree(root));
  });
});

extracts("blocks of 4 KiB and of 1 MiB hold the same files", async () => {
  for (const blockBytes of [4096, 1024 * 1024]) {
    const root = everyKind();
    const options = { codec: { name: "zstd", level: 1 }, blockBytes, preserveDevices: true } as const;
    expect(await extract(root, options)).toEqual(describeTree(root));
  }
});

extracts("a folder of more than 64 KiB of names, spread over many metadata blocks", async () => {
  const children: { [name: string]: TreeNode } = {};
  for (let file = 0; file < 3000; file++) children[`${"n".repeat(40)}-${file}`] = fileNode(`content ${file}`);
  const root = folderNode({ many: folderNode(children), after: fileNode("x") });
  expect(await extract(root, { codec: { name: "gzip", level: 6 } })).toEqual(describeTree(root));
});

extracts("device nodes are left out, owners and late times changed, where that is asked", async () => {
  const root = folderNode({
    null: treeNode("character", { device: { major: 1, minor: 3 } }),
    late: fileNode("late", { mtimeSeconds: 2_000_000_000, uid: 1000, gid: 70_000 }),
    early: fileNode("early", { mtimeSeconds: 5 }),
    before: fileNode("before", { mtimeSeconds: -5 }),
    far: fileNode("far", { mtimeSeconds: 2 ** 40 }),
  });
  const entries = await extract(root, {
    codec: { name: "gzip", level: 1 },
    allRoot: true,
    latestMtimeSeconds: 1_600_000_000,
  });
  expect([...entries.keys()]).toEqual(["", "before", "early", "far", "late"]);
  expect(entries.get("late")).toMatchObject({ uid: 0, gid: 0, mtimeSeconds: 1_600_000_000 });
  expect(entries.get("early")?.mtimeSeconds).toBe(5);
  expect(entries.get("before")?.mtimeSeconds).toBe(0);
  expect(entries.get("far")?.mtimeSeconds).toBe(1_600_000_000);
});

test("the bytes do not depend on workers, nor on how the source comes in", async () => {
  const digests = new Set<string>();
  const ways = [
    { workers: 1, pieceBytes: 1000 },
    { workers: 2, pieceBytes: 4 * 1024 * 1024 },
    { workers: 5, pieceBytes: 65_536 },
    { workers: 2, pieceBytes: 9999, isSlow: true },
  ];
  for (const way of ways) {
    const path = scratch.at(`ways-${made++}`);
    await writeTree(everyKind(), path, { codec: { name: "gzip", level: 6 }, ...way });
    digests.add(createHash("sha256").update(readFileSync(path)).digest("hex"));
  }
  expect(digests.size).toBe(1);
});

test("the same content is stored once, small or large, whoever came first", async () => {
  const sizeOf = async (root: TreeNode): Promise<number> =>
    await writeTree(root, scratch.at(`same-${made++}`), { codec: { name: "none" } });
  const large = textBytes(700_000, 1);
  const small = textBytes(50_000, 2);
  const once = await sizeOf(folderNode({ a: fileNode(large), b: fileNode(small), z: fileNode("z") }));
  const twice = await sizeOf(
    folderNode({
      a: fileNode(large),
      b: fileNode(small),
      c: fileNode(large),
      d: fileNode(small),
      z: fileNode("z"),
    }),
  );
  expect(twice).toBe(once);
});

async function extract(root: TreeNode, options: WriteTreeOptions): Promise<TreeLines> {
  const image = scratch.at(`image-${made++}`);
  await writeTree(root, image, options);
  const folder = scratch.at(`folder-${made++}`);
  await mustRun([programPath("unsquashfs"), "-quiet", "-no-progress", "-dest", folder, image]);
  return listTree(folder);
}
