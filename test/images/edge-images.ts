import { gnuLong, paxHeader, renderTar, sparseEntry, type TarItem, tarEntry } from "../support/tar-writer.ts";

/** One edge of applying layers, as an image. */
export interface EdgeImage {
  readonly name: string;
  /** Archives, lowest first. */
  readonly layers: readonly Uint8Array[];
  /** Where umoci 0.4.7 does otherwise than the rule, said by name: it refuses, or these paths differ. */
  readonly umoci?: { readonly why: string; readonly refuses?: string; readonly paths?: readonly string[] };
}

const lower: readonly TarItem[] = [
  { path: "./", mode: 0o755, mtime: 1_000 },
  { path: "etc/", mtime: 2_000 },
  { path: "etc/passwd", content: "root:x:0:0", mode: 0o644, mtime: 3_000 },
  { path: "foo/", mode: 0o2750, uid: 5, gid: 6, mtime: 4_000, xattrs: { "user.foo": "1" } },
  { path: "foo/a", content: "a", uid: 1000, mtime: 5_000 },
  { path: "foo/b/", mode: 0o710, mtime: 6_000 },
  { path: "foo/b/c", content: "c", mode: 0o4755, mtime: 7_000 },
  { path: "usr/", mtime: 1 },
  { path: "usr/lib/", mtime: 2 },
  { path: "usr/lib/x", content: "x", mtime: 3 },
  { path: "lib", linkTarget: "usr/lib", mtime: 8_000 },
];

function image(name: string, upper: readonly TarItem[], umoci?: EdgeImage["umoci"]): EdgeImage {
  return partsImage(name, [lower.map(tarEntry), upper.map(tarEntry)], umoci);
}

function partsImage(
  name: string,
  layers: readonly (readonly Uint8Array[])[],
  umoci?: EdgeImage["umoci"],
): EdgeImage {
  return {
    name,
    layers: layers.map((parts) => renderTar(parts)),
    ...(umoci === undefined ? {} : { umoci }),
  };
}

const parentMade = {
  why: "does not give a folder its time back when it made a parent in it that no entry describes",
  paths: [""],
};

const extents = [
  { offset: 4096, data: "abc" },
  { offset: 100_000, data: "d".repeat(600) },
];
const binary = Buffer.from([1, 0, 0, 2, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

/** The list of issue 5, section "Edge rules": every format is to give the same tree for each. */
export const edgeImages: readonly EdgeImage[] = [
  image("nothing on top", []),
  image("a: a whiteout of a folder, then a new child", [
    { path: ".wh.foo" },
    { path: "foo/", mtime: 9 },
    { path: "foo/new", mtime: 9 },
  ]),
  image(
    "a: a new child, then the whiteout of its folder",
    [{ path: "foo/", mtime: 9 }, { path: "foo/new", mtime: 9 }, { path: ".wh.foo" }],
    {
      why: "does not give the folder its time back after taking the hidden files out of it",
      paths: ["foo"],
    },
  ),
  image(
    "a: the whiteout of a folder behind a child, no entry of the folder",
    [{ path: "foo/new", mtime: 9 }, { path: ".wh.foo" }],
    {
      why: "keeps the attributes of the folder that is gone when the whiteout comes last, and drops them when it comes first",
      paths: ["foo"],
    },
  ),
  image("b: a whiteout and an entry of one name", [
    { path: "foo/.wh.a" },
    { path: "foo/a", content: "new", mtime: 9 },
  ]),
  image("b: an entry and a whiteout of one name", [
    { path: "foo/a", content: "new", mtime: 9 },
    { path: "foo/.wh.a" },
  ]),
  image("an opaque folder before its children", [
    { path: "foo/", mode: 0o700, mtime: 9 },
    { path: "foo/.wh..wh..opq" },
    { path: "foo/b/", mtime: 9 },
  ]),
  image(
    "an opaque folder behind its children",
    [{ path: "foo/b/new", mtime: 9 }, { path: "foo/.wh..wh..opq" }],
    {
      why: "keeps the attributes of a folder that is hidden and had no entry of its own in the upper layer",
      paths: ["foo/b"],
    },
  ),
  image("an opaque root", [{ path: ".wh..wh..opq" }, { path: "only", mtime: 9 }]),
  image("whiteouts of what is not there", [
    { path: ".wh.none" },
    { path: "foo/.wh.none" },
    { path: "foo/a/.wh.none" },
  ]),
  image("a whiteout of a symlink", [{ path: ".wh.lib" }]),
  image("c: a file over a folder", [{ path: "foo", content: "file", mtime: 9 }]),
  image("c: a folder over a file", [
    { path: "foo/a/", mtime: 9 },
    { path: "foo/a/x", mtime: 9 },
  ]),
  image("c: a symlink over a folder", [{ path: "foo", linkTarget: "etc", mtime: 9 }]),
  image("c: a parent without an entry over a file", [{ path: "foo/a/x" }], {
    why: "cannot make a folder where a file is; overlayfs, and so Docker and podman, replaces it",
    refuses: "not a directory",
  }),
  image("a folder over a folder", [
    { path: "foo/", mode: 0o1777, uid: 1, mtime: 9, xattrs: { "user.new": "2" } },
  ]),
  image("d: an entry below a lower symlink", [{ path: "lib/new", content: "n", mtime: 9 }]),
  image("d: a whiteout below a lower symlink", [{ path: "lib/.wh.x" }]),
  image("d: a symlink to above the root", [
    { path: "up", linkTarget: "../../../../usr", mtime: 9 },
    { path: "up/new", mtime: 9 },
  ]),
  image("d: an absolute symlink", [
    { path: "abs", linkTarget: "/usr/lib/..", mtime: 9 },
    { path: "abs/new", mtime: 9 },
  ]),
  image(
    "d: a symlink to nowhere as a parent",
    [
      { path: "l", linkTarget: "not/there", mtime: 9 },
      { path: "l/x", mtime: 9 },
    ],
    parentMade,
  ),
  image("e: a folder over a symlink", [
    { path: "lib/", mtime: 9 },
    { path: "lib/y", mtime: 9 },
  ]),
  image("f: hard links to a file, to a symlink, to a link", [
    { path: "h1", type: "1", linkTarget: "foo/a", mode: 0o777, uid: 9, mtime: 9 },
    { path: "h2", type: "1", linkTarget: "/lib", mtime: 9 },
    { path: "h3", type: "1", linkTarget: "./h1", mtime: 9 },
  ]),
  image("f: a hard link whose target is hidden afterwards", [
    { path: "h", type: "1", linkTarget: "foo/a", uid: 1000, mtime: 5_000 },
    { path: "foo/.wh.a" },
  ]),
  image(
    "f: a hard link to a later entry",
    [
      { path: "h", type: "1", linkTarget: "late" },
      { path: "late", content: "x", mtime: 9 },
    ],
    {
      why: "links at once",
      refuses: "no such file",
    },
  ),
  image(
    "f: a hard link to what is hidden",
    [{ path: ".wh.foo" }, { path: "h", type: "1", linkTarget: "foo/a" }],
    {
      why: "refuses as we do",
      refuses: "no such file",
    },
  ),
  image("g: missing parents", [{ path: "p/q/r", content: "r", uid: 3, mtime: 9 }], parentMade),
  image("h: attributes of the root", [{ path: "./", mode: 0o711, uid: 2, mtime: 123 }]),
  image("the last of two entries of one path", [
    { path: "two", content: "1", mtime: 1 },
    { path: "two", content: "22", mtime: 2 },
  ]),
  image("paths that climb", [
    { path: "../../climbed", mtime: 9 },
    { path: "/abs", mtime: 9 },
    { path: "a/../b", mtime: 9 },
  ]),
  image("every type", [
    { path: "dev/", mtime: 9 },
    { path: "dev/null", type: "3", device: [1, 3], mode: 0o666, mtime: 9 },
    { path: "dev/loop", type: "4", device: [7, 300], mtime: 9 },
    { path: "dev/pipe", type: "6", mode: 0o600, mtime: 9 },
    { path: "suid", mode: 0o6755, mtime: 9 },
    { path: "sticky/", mode: 0o1777, mtime: 9 },
  ]),
  image(
    "i: long names, large owners, times before 1970 and after 2038",
    [
      {
        path: `${"d".repeat(200)}/${"f".repeat(200)}`,
        content: "x",
        uid: 3_000_000,
        gid: 4_000_000,
        mtime: 9,
      },
      { path: "neg", mtime: -86_400 },
      { path: "far", mtime: 4_000_000_000 },
      { path: "half", pax: { mtime: "-1.5" } },
      { path: "longlink", linkTarget: `/${"l".repeat(300)}`, mtime: 9 },
      { path: "big256", base256: true, uid: 70_000_000, mtime: 9 },
    ],
    parentMade,
  ),
  image("i: names that are not UTF-8", [
    { path: "caf\xe9", content: "1", mtime: 9 },
    { path: "\xff\xfe/", mtime: 9 },
    { path: "\xff\xfe/\x80", mtime: 9 },
    { path: "link\xe9", linkTarget: "caf\xe9", mtime: 9 },
  ]),
  image(
    "i: extended attributes",
    [
      {
        path: "cap",
        mtime: 9,
        xattrs: { "security.capability": binary, "user.bin": Buffer.from([1, 0, 10, 255]) },
      },
      { path: "drop", mtime: 9, xattrs: { "user.overlay.origin": "x", "trusted.overlay.opaque": "y" } },
      { path: "xd/", mtime: 9, xattrs: { "trusted.mine": "t" } },
    ],
    {
      why: "leaves out trusted.overlay alone, and knows nothing of user.overlay",
      paths: ["drop"],
    },
  ),
  partsImage(
    "i: global headers",
    [lower.map(tarEntry), [paxHeader([["uid", "77"]], "g"), tarEntry({ path: "g", mtime: 9 })]],
    { why: "takes a global header for an entry", refuses: "unknown typeflag" },
  ),
  partsImage("i: GNU long names", [
    lower.map(tarEntry),
    [
      gnuLong("L", `${"n".repeat(150)}`),
      tarEntry({ path: "n", form: "gnu", content: "x", mtime: 9 }),
      gnuLong("K", "k".repeat(150)),
      tarEntry({ path: "k", form: "gnu", linkTarget: "k", mtime: 9 }),
    ],
  ]),
  partsImage(
    "sparse files of GNU tar's old form",
    [lower.map(tarEntry), [sparseEntry("old", { path: "s-old", mtime: 9 }, 200_000, extents)]],
    { why: "does not know the type", refuses: "unknown typeflag" },
  ),
  partsImage("sparse files of the PAX forms", [
    lower.map(tarEntry),
    (["0.0", "0.1", "1.0"] as const).map((form) =>
      sparseEntry(form, { path: `s-${form}`, mtime: 9 }, 200_000, extents),
    ),
  ]),
  partsImage("n: empty layers between", [lower.map(tarEntry), [], [tarEntry({ path: ".wh.foo" })], []]),
  partsImage("many layers on one path", [
    lower.map(tarEntry),
    [tarEntry({ path: ".wh.foo" })],
    [tarEntry({ path: "foo/", mtime: 9 }), tarEntry({ path: "foo/x", mtime: 9 })],
    [tarEntry({ path: "foo", linkTarget: "etc", mtime: 10 })],
    [tarEntry({ path: "foo/through", mtime: 11 })],
  ]),
];
