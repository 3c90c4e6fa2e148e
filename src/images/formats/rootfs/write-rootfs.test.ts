import { afterAll, expect, test } from "bun:test";
import { chmodSync, chownSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { silentLogger } from "#core";
import { everyKindOfEntry, layersOf, treeWithBytes } from "../../../../test/support/layer-trees.ts";
import { listTree } from "../../../../test/support/list-tree.ts";
import { needs, needsThat, programPath } from "../../../../test/support/programs.ts";
import { mustRun } from "../../../../test/support/run-program.ts";
import { createScratch } from "../../../../test/support/scratch.ts";
import { describeTree } from "../../../../test/support/tree-lines.ts";
import { renderLeftOut } from "./left-out.ts";
import { removeTree } from "./remove-tree.ts";
import { writeRootfs } from "./write-rootfs.ts";

const scratch = createScratch("rootfs");
afterAll(() => {
  scratch.remove();
});
const context = { signal: new AbortController().signal, log: silentLogger };
const isRoot = process.getuid?.() === 0;
const asRoot = needsThat(isRoot, "needs root");
const NOBODY = 65_534;

asRoot("root gets everything: types, modes, owners, times, links, devices, bytes", async () => {
  const layers = everyKindOfEntry(true);
  const folder = scratch.at("all");
  const leftOut = await writeRootfs(layers, folder, context);
  expect(listTree(folder)).toEqual(describeTree(await treeWithBytes(layers)));
  expect(renderLeftOut(leftOut)).toBe("");
});

const attributes = isRoot ? needs("getfattr") : asRoot;
attributes("extended attributes are set, file capabilities too", async () => {
  const folder = scratch.at("attributes");
  await writeRootfs(everyKindOfEntry(false), folder, context);
  const read = async (path: string): Promise<string> =>
    await mustRun([programPath("getfattr"), "-d", "-e", "hex", "-m", "-", "--absolute-names", path]);
  expect(await read(`${folder}/bin/ping`)).toContain(
    "security.capability=0x0100000200040000000000000000000000000000\nuser.a=0x000a3d\n",
  );
  expect(await read(`${folder}/tmp`)).toContain("user.folder=0x66\n");
});

asRoot(
  "without root owners, devices and setuid bits are left out and counted, and mode 000 is kept",
  async () => {
    const layers = everyKindOfEntry(true);
    const home = scratch.at("home");
    mkdirSync(home);
    chownSync(home, NOBODY, NOBODY);
    chmodSync(scratch.path, 0o755);
    process.seteuid?.(NOBODY);
    const leftOut = await writeRootfs(layers, `${home}/all`, context).finally(() => process.seteuid?.(0));
    const tree = await treeWithBytes(layers);
    tree.children?.get("dev")?.children?.clear();
    const expected = [...describeTree(tree)].map(([path, line]) => {
      const mode = (line.mode & 0o6000) === 0 ? line.mode : line.mode & 0o777;
      return [path, { ...line, uid: NOBODY, gid: 0, mode, xattrs: {} }];
    });
    const found = [...listTree(`${home}/all`)].map(([path, line]) => [path, { ...line, gid: 0, xattrs: {} }]);
    expect(found).toEqual(expected);
    expect(leftOut).toMatchObject({ devices: 2, setIds: 1, xattrs: 1 });
    expect(leftOut.owners).toBeGreaterThan(20);
    expect(renderLeftOut(leftOut)).toContain("device nodes are left out (2)");
  },
);

test("a folder that holds something, a file and a link are left alone; an empty folder is taken", async () => {
  const layers = layersOf([{ path: "a", content: "a" }]);
  mkdirSync(scratch.at("full/inside"), { recursive: true });
  mkdirSync(scratch.at("empty"));
  writeFileSync(scratch.at("file"), "");
  symlinkSync(scratch.at("empty"), scratch.at("link"));
  symlinkSync(scratch.at("nowhere"), scratch.at("dangling"));
  for (const name of ["full", "file", "link", "dangling"])
    await expect(writeRootfs(layers, scratch.at(name), context)).rejects.toMatchObject({
      code: "ALREADY_EXISTS",
    });
  await writeRootfs(layers, scratch.at("empty"), context);
  expect(readdirSync(scratch.at("empty"))).toEqual(["a"]);
});

test("an image that fails in the middle leaves nothing", async () => {
  const good = layersOf([
    { path: "closed/", mode: 0 },
    { path: "closed/file", mode: 0, content: "x" },
  ])[0];
  if (good === undefined) throw new Error("no layer");
  // Each reading looks at the first bytes, and then reads them: the second one fails.
  let reads = 0;
  const bytes = {
    sizeBytes: good.bytes.sizeBytes,
    async read(offset: number, length: number) {
      const piece = await good.bytes.read(offset, length, context);
      if (offset === 0 && ++reads > 3) throw new Error("the disk is gone");
      return piece;
    },
  };
  mkdirSync(scratch.at("parent"));
  await expect(writeRootfs([{ ...good, bytes }], scratch.at("parent/out"), context)).rejects.toThrow();
  expect(readdirSync(scratch.at("parent"))).toEqual([]);
});

asRoot("what is half there goes away again, whatever modes it has", async () => {
  const home = scratch.at("other home");
  const folder = `${home}/half`;
  mkdirSync(`${folder}/closed/inside`, { recursive: true });
  writeFileSync(`${folder}/closed/inside/file`, "", { mode: 0 });
  mkdirSync(scratch.at("kept"), { mode: 0o700 });
  symlinkSync(scratch.at("kept"), `${folder}/link`);
  for (const path of [`${folder}/closed/inside`, `${folder}/closed`, folder, home]) {
    chownSync(path, NOBODY, NOBODY);
    chmodSync(path, path === home ? 0o700 : 0);
  }
  chmodSync(scratch.path, 0o755);
  process.seteuid?.(NOBODY);
  await removeTree(folder).finally(() => process.seteuid?.(0));
  expect(readdirSync(home)).toEqual([]);
  expect(statSync(scratch.at("kept")).mode & 0o777).toBe(0o700);
});

test("nobody else can look into what is not whole yet", async () => {
  mkdirSync(scratch.at("watched"));
  const layer = layersOf([{ path: "file", content: "x".repeat(3_000_000) }])[0];
  if (layer === undefined) throw new Error("no layer");
  const modes = new Set<number>();
  const bytes = {
    sizeBytes: layer.bytes.sizeBytes,
    read(offset: number, length: number) {
      for (const name of readdirSync(scratch.at("watched")))
        modes.add(statSync(scratch.at("watched", name)).mode & 0o777);
      return layer.bytes.read(offset, length, context);
    },
  };
  await writeRootfs([{ ...layer, bytes }], scratch.at("watched/out"), context);
  expect([...modes]).toEqual([0o700]);
  expect(readdirSync(scratch.at("watched"))).toEqual(["out"]);
});
