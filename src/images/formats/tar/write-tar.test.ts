import { afterAll, expect, test } from "bun:test";
import { mkdirSync, readFileSync } from "node:fs";
import { silentLogger } from "#core";
import { everyKindOfEntry, layersOf, treeWithBytes } from "../../../../test/support/layer-trees.ts";
import { listTree } from "../../../../test/support/list-tree.ts";
import { memoryLayer } from "../../../../test/support/memory-layer.ts";
import { needs, needsThat, programPath } from "../../../../test/support/programs.ts";
import { mustRun } from "../../../../test/support/run-program.ts";
import { createScratch } from "../../../../test/support/scratch.ts";
import { describeTree } from "../../../../test/support/tree-lines.ts";
import type { LayerBlob } from "../../contract.ts";
import { createLocalFileSink } from "../../sinks/local-file.ts";
import { plainMember, renderTarHeader, renderUstar } from "./tar-header.ts";
import { writeTar } from "./write-tar.ts";

const scratch = createScratch("tar");
afterAll(() => {
  scratch.remove();
});
const context = { signal: new AbortController().signal, log: silentLogger };
const isRoot = process.getuid?.() === 0;
let made = 0;

async function written(layers: readonly LayerBlob[]): Promise<string> {
  const path = scratch.at(`${made++}.tar`);
  const sink = await createLocalFileSink(path, { mode: 0o644 });
  await sink.finish((await writeTar(layers, sink, context)).sizeBytes);
  return path;
}

(isRoot ? needs("tar", "getfattr") : needsThat(false, "needs root"))(
  "GNU tar unpacks it to the merged tree, whatever is in it",
  async () => {
    const layers = everyKindOfEntry(true);
    const path = await written(layers);
    const folder = scratch.at("gnu");
    mkdirSync(folder);
    const flags = ["--delay-directory-restore", "--numeric-owner", "--xattrs", "--xattrs-include=*", "-pxf"];
    await mustRun([programPath("tar"), "-C", folder, ...flags, path]);
    expect(listTree(folder)).toEqual(describeTree(await treeWithBytes(layers)));
    const read = [programPath("getfattr"), "-d", "-e", "hex", "-m", "-", "--absolute-names"];
    expect(await mustRun([...read, `${folder}/bin/ping`])).toContain(
      "security.capability=0x0100000200040000000000000000000000000000\nuser.a=0x000a3d\n",
    );
  },
);

test("our own reader finds the same tree in it, and it is the same bytes every time", async () => {
  const layers = everyKindOfEntry(true);
  const [first, second] = [await written(layers), await written(everyKindOfEntry(true))];
  const bytes = readFileSync(first);
  expect(bytes.equals(readFileSync(second))).toBe(true);
  expect(describeTree(await treeWithBytes([memoryLayer(bytes)]))).toEqual(
    describeTree(await treeWithBytes(layers)),
  );
});

test("folders come first, then links and nodes, then files layer by layer, further names last", async () => {
  const path = await written(
    layersOf(
      [
        { path: "z", content: "1" },
        { path: "a/link", linkTarget: "z" },
        { path: "a/y", content: "2" },
      ],
      [{ path: "b", content: "3" }, { path: "a/z again", type: "1", linkTarget: "z" }, { path: "c/" }],
    ),
  );
  const listed = await mustRun(["tar", "-tf", path]);
  expect(listed.split("\n").slice(0, -1)).toEqual(["./", "a/", "c/", "a/link", "a/z again", "a/y", "b", "z"]);
});

test("an attribute whose name holds the sign that ends a key comes through", async () => {
  const header = renderTarHeader({
    ...plainMember("f", 0),
    xattrs: new Map([["user.a=b%", Buffer.from([0, 255])]]),
  });
  expect(header.toString("latin1")).toContain("LIBARCHIVE.xattr.user.a%3Db%25=AP8=\n");
});

test("a size that octal digits cannot hold is base-256 in a header of one block", () => {
  const block = renderUstar({ ...plainMember("f", 0), sizeBytes: 10 * 1024 ** 4 }, "f");
  expect(block.subarray(124, 136).toString("hex")).toBe("80000000" + "00000a0000000000");
});
