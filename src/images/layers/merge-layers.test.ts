/** The rules of applying layers, one test each, in the order of the list in issue 5 (Applying Changesets, and its edges). */
import { expect, test } from "bun:test";
import { indexesOf } from "../../../test/support/memory-layer.ts";
import type { TarItem } from "../../../test/support/tar-writer.ts";
import { describeTree, type TreeLines } from "../../../test/support/tree-lines.ts";
import { mergeLayers } from "./merge-layers.ts";

async function treeOf(...layers: readonly (readonly TarItem[])[]): Promise<TreeLines> {
  return describeTree(mergeLayers(await indexesOf(layers)));
}

/** Paths without the root. */
async function pathsOf(...layers: readonly (readonly TarItem[])[]): Promise<string[]> {
  return [...(await treeOf(...layers)).keys()].slice(1);
}

const lower: readonly TarItem[] = [
  { path: "foo/", mode: 0o700, uid: 5 },
  { path: "foo/a", content: "a" },
  { path: "foo/b/c", content: "c" },
];

test("a: a whiteout of a folder and a new child of it in the same layer, either order", async () => {
  const child = { path: "foo/new" };
  for (const upper of [
    [{ path: ".wh.foo" }, child],
    [child, { path: ".wh.foo" }],
  ]) {
    const tree = await treeOf(lower, upper);
    expect([...tree.keys()]).toEqual(["", "foo", "foo/new"]);
    // The lower folder is gone with all that it said of itself.
    expect(tree.get("foo")).toMatchObject({ mode: 0o755, uid: 0 });
  }
});

test("b: a whiteout and an entry of the same name keep the entry, either order", async () => {
  expect(await pathsOf(lower, [{ path: "foo/.wh.a" }, { path: "foo/a", mode: 0o600 }])).toContain("foo/a");
  expect(await pathsOf(lower, [{ path: "foo/a", mode: 0o600 }, { path: "foo/.wh.a" }])).toContain("foo/a");
  const again = await treeOf(lower, [{ path: "foo/", mode: 0o711 }, { path: ".wh.foo" }]);
  expect([...again.keys()]).toEqual(["", "foo"]);
  expect(again.get("foo")?.mode).toBe(0o711);
});

test("an opaque folder hides what is below, before or after its new children, and stays itself", async () => {
  for (const upper of [
    [{ path: "foo/.wh..wh..opq" }, { path: "foo/new" }],
    [{ path: "foo/new" }, { path: "foo/.wh..wh..opq" }],
    [{ path: "foo/b/new" }, { path: "foo/.wh..wh..opq" }],
  ]) {
    const tree = await treeOf(lower, upper);
    expect(tree.has("foo/a") || tree.has("foo/b/c")).toBe(false);
    expect(tree.get("foo")).toMatchObject({ mode: 0o700, uid: 5 });
  }
  expect(await pathsOf(lower, [{ path: ".wh..wh..opq" }, { path: "x" }])).toEqual(["x"]);
});

test("a whiteout spares its own layer and what comes later, and hides only what is there", async () => {
  expect(await pathsOf([{ path: "x" }, { path: ".wh.x" }])).toEqual(["x"]);
  expect(await pathsOf([{ path: "x" }], [{ path: ".wh.x" }], [{ path: "x" }])).toEqual(["x"]);
  expect(
    await pathsOf([{ path: "x" }], [{ path: ".wh.y" }, { path: "no/.wh.y" }, { path: "no/.wh..wh..opq" }]),
  ).toEqual(["x"]);
});

test("c: file to folder and folder to file hide what was below", async () => {
  expect(await pathsOf(lower, [{ path: "foo" }])).toEqual(["foo"]);
  expect(await pathsOf(lower, [{ path: "foo/a/" }, { path: "foo/a/x" }])).toContain("foo/a/x");
  // A parent that no entry names replaces a lower file too, as it does on overlayfs.
  expect(await pathsOf(lower, [{ path: "foo/a/x" }])).toContain("foo/a/x");
  expect(await pathsOf(lower, [{ path: "foo", linkTarget: "bar" }])).toEqual(["foo"]);
});

test("a folder over a folder changes its attributes alone, all of them", async () => {
  const tree = await treeOf(
    [{ path: "d/", mode: 0o700, uid: 3, gid: 4, mtime: 9, xattrs: { "user.old": "1" } }, { path: "d/x" }],
    [{ path: "d/", mode: 0o1777, xattrs: { "user.new": "2" } }],
  );
  expect(tree.has("d/x")).toBe(true);
  expect(tree.get("d")).toMatchObject({
    mode: 0o1777,
    uid: 0,
    gid: 0,
    mtimeSeconds: 0,
    xattrs: { "user.new": "32" },
  });
});

test("d: parents are found through symlinks, within the root", async () => {
  const usr: readonly TarItem[] = [{ path: "usr/lib/" }, { path: "lib", linkTarget: "usr/lib" }];
  expect(await pathsOf(usr, [{ path: "lib/x" }])).toEqual(["lib", "usr", "usr/lib", "usr/lib/x"]);
  expect(await pathsOf([...usr, { path: "usr/lib/x" }], [{ path: "lib/.wh.x" }])).not.toContain("usr/lib/x");
  expect(await pathsOf(usr, [{ path: "up", linkTarget: "../../../../usr" }, { path: "up/lib/y" }])).toContain(
    "usr/lib/y",
  );
  expect(await pathsOf(usr, [{ path: "abs", linkTarget: "/usr/lib/.." }, { path: "abs/z" }])).toContain(
    "usr/z",
  );
  // A link to nowhere makes what it leads to.
  expect(await pathsOf([{ path: "l", linkTarget: "a/b" }, { path: "l/x" }])).toEqual([
    "a",
    "a/b",
    "a/b/x",
    "l",
  ]);
  expect(await pathsOf([{ path: "l", linkTarget: "/" }, { path: "l/l/l/x" }])).toEqual(["l", "x"]);
});

test("d: forty symlinks are followed, more and loops are refused", async () => {
  const chain = (count: number): TarItem[] => [
    { path: "end/" },
    ...Array.from({ length: count }, (_, index) => ({
      path: `l${index}`,
      linkTarget: index === 0 ? "end" : `l${index - 1}`,
    })),
  ];
  expect(await pathsOf([...chain(40), { path: "l39/x" }])).toContain("end/x");
  await expect(treeOf([...chain(41), { path: "l40/x" }])).rejects.toThrow("more than 40 symlinks");
  await expect(treeOf([{ path: "l", linkTarget: "l" }, { path: "l/x" }])).rejects.toThrow(
    'layer 1, entry "l/x"',
  );
});

test("e: a folder's entry over a lower symlink replaces it; so does the symlink the folder", async () => {
  const usr: readonly TarItem[] = [
    { path: "usr/lib/" },
    { path: "usr/lib/x" },
    { path: "lib", linkTarget: "usr/lib" },
  ];
  const tree = await treeOf(usr, [{ path: "lib/" }, { path: "lib/y" }]);
  expect([...tree.keys()]).toEqual(["", "lib", "lib/y", "usr", "usr/lib", "usr/lib/x"]);
  expect(tree.get("lib")?.type).toBe("directory");
  // Also after entries that went through the symlink.
  expect(await pathsOf(usr, [{ path: "lib/1" }, { path: "lib/" }, { path: "lib/2" }])).toEqual([
    "lib",
    "lib/2",
    "usr",
    "usr/lib",
    "usr/lib/1",
    "usr/lib/x",
  ]);
});

test("f: hard links: to a lower file, a symlink, a device, a later entry, one another", async () => {
  const tree = await treeOf(
    [
      { path: "file", mode: 0o4711, content: "x" },
      { path: "sym", linkTarget: "file" },
      { path: "fifo", type: "6" },
    ],
    [
      { path: "h1", type: "1", linkTarget: "file", mode: 0o777, uid: 9, mtime: 9 },
      { path: "h2", type: "1", linkTarget: "/sym" },
      { path: "h3", type: "1", linkTarget: "./fifo" },
      { path: "h4", type: "1", linkTarget: "h5" },
      { path: "h5", type: "1", linkTarget: "later" },
      { path: "later", content: "abc" },
    ],
  );
  // The link's own header says nothing.
  expect(tree.get("h1")).toMatchObject({
    type: "file",
    mode: 0o4711,
    uid: 0,
    mtimeSeconds: 0,
    sameAs: "file",
  });
  expect(tree.get("h2")).toMatchObject({ type: "symlink", linkTarget: "file", sameAs: "h2" });
  expect(tree.get("h3")).toMatchObject({ type: "fifo", sameAs: "fifo" });
  expect(["h4", "h5", "later"].map((path) => tree.get(path)?.sameAs)).toEqual(["h4", "h4", "h4"]);
  expect(tree.get("h4")?.sizeBytes).toBe(3);
});

test("f: a node stays as long as it has a name, and knows how many it has", async () => {
  const root = [
    { path: "a", content: "x" },
    { path: "b", type: "1", linkTarget: "a" },
    { path: "c", type: "1", linkTarget: "b" },
  ];
  const after = await treeOf(root, [{ path: ".wh.a" }]);
  expect([...after].map(([path, line]) => [path, line.sameAs]).slice(1)).toEqual([
    ["b", "b"],
    ["c", "b"],
  ]);
  const alone = await treeOf(root, [{ path: ".wh.a" }, { path: "b" }]);
  expect(alone.get("c")).toMatchObject({ sameAs: "", sizeBytes: 1 });
  // Linked and hidden in one layer: the link came first.
  expect(
    await pathsOf([{ path: "a" }], [{ path: "b", type: "1", linkTarget: "a" }, { path: ".wh.a" }]),
  ).toEqual(["b"]);
});

test("f: a hard link to itself changes nothing; one to nothing or to a folder is refused", async () => {
  expect(
    (
      await treeOf([
        { path: "a", content: "x" },
        { path: "a", type: "1", linkTarget: "a" },
      ])
    ).get("a"),
  ).toMatchObject({
    sizeBytes: 1,
    sameAs: "",
  });
  await expect(treeOf([{ path: "a", type: "1", linkTarget: "b" }])).rejects.toThrow(
    'hard link to "b", which is not there',
  );
  await expect(treeOf([{ path: "d/" }, { path: "a", type: "1", linkTarget: "d" }])).rejects.toThrow(
    "hard link to a folder",
  );
  await expect(treeOf([{ path: "a", type: "1", linkTarget: "../../etc/passwd" }])).rejects.toThrow(
    "not there",
  );
  await expect(
    treeOf([{ path: "x" }], [{ path: ".wh.x" }, { path: "y", type: "1", linkTarget: "x" }]),
  ).rejects.toThrow("not there");
});

test("f: a hard link may replace the folder that holds its target", async () => {
  const tree = await treeOf([{ path: "d/f", content: "xyz" }], [{ path: "d", type: "1", linkTarget: "d/f" }]);
  expect([...tree].slice(1)).toMatchObject([["d", { type: "file", sizeBytes: 3, sameAs: "" }]]);
});

test("the last of two entries of one path holds, a link that still waits for its target included", async () => {
  const tree = await treeOf([
    { path: "a", content: "1" },
    { path: "a", content: "22" },
    { path: "b", type: "1", linkTarget: "late" },
    { path: "b", content: "333" },
    { path: "late" },
  ]);
  expect(tree.get("a")?.sizeBytes).toBe(2);
  expect(tree.get("b")).toMatchObject({ sizeBytes: 3, sameAs: "" });
});

test("g: missing parents are 0755, root's, of 1970", async () => {
  const tree = await treeOf([{ path: "x/y/z", uid: 7 }]);
  for (const path of ["", "x", "x/y"])
    expect(tree.get(path)).toMatchObject({ type: "directory", mode: 0o755, uid: 0, gid: 0, mtimeSeconds: 0 });
});

test("h: the root's entry gives the root its attributes, and must be a folder", async () => {
  for (const path of ["./", "/", ".", "a/.."])
    expect((await treeOf([{ path, type: "5", mode: 0o700, mtime: 3 }])).get("")).toMatchObject({
      mode: 0o700,
      mtimeSeconds: 3,
    });
  for (const type of ["0", "1", "2"])
    await expect(treeOf([{ path: ".", type, linkTarget: "x" }])).rejects.toThrow(/folder|root/);
});

test("no symlinks lead deeper than the limit, path by path", async () => {
  const deep = Array.from({ length: 500 }, () => "d").join("/");
  await expect(
    treeOf([{ path: `${deep}/` }, { path: "l", linkTarget: deep }], [{ path: `l/${deep}/x` }]),
  ).rejects.toThrow("deeper than 512 folders");
});
