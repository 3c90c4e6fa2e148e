/** Every form that a tar header can have (section "Edge rules": i, j, l), one test each. */
import { expect, test } from "bun:test";
import { entryAt, readParts, refusalOf } from "../../../test/support/memory-layer.ts";
import {
  gnuLong,
  padded,
  paxHeader,
  rawHeader,
  tarEntry,
  tarHeader,
} from "../../../test/support/tar-writer.ts";
import { defaultLayerLimits, type LayerLimits } from "./layer-limits.ts";

test("PAX path, linkpath, size, owners and times, which a header's fields cannot hold", async () => {
  const long = `${"d".repeat(200)}/${"f".repeat(200)}`;
  const { index, text } = await readParts(
    tarEntry({ path: long, content: "body", uid: 4_000_000_000, gid: 3_000_000, mtime: -1.5 }),
    tarEntry({ path: "link", linkTarget: `/${long}` }),
    tarEntry({ path: "sized", content: "12345", size: 0, pax: { size: "5" } }),
    tarEntry({ path: "late", mtime: 17_179_869_184_000 }),
    tarEntry({ path: "half", pax: { mtime: "7.999999999" } }),
  );
  expect(entryAt(index, long)).toMatchObject({
    uid: 4_000_000_000,
    gid: 3_000_000,
    mtimeSeconds: -2,
    sizeBytes: 4,
  });
  expect(entryAt(index, "link").linkTarget).toBe(`/${long}`);
  expect(text("sized")).toBe("12345");
  expect(entryAt(index, "late").mtimeSeconds).toBe(17_179_869_184_000);
  expect(entryAt(index, "half").mtimeSeconds).toBe(7);
});

test("the last record wins, an empty one gives the header its word back, several headers add up", async () => {
  const { index } = await readParts(
    paxHeader([
      ["path", "first"],
      ["path", "second"],
      ["uid", "7"],
    ]),
    paxHeader(
      [
        ["uid", ""],
        ["gid", "8"],
      ],
      "X",
    ),
    tarHeader({ path: "own", uid: 5 }, 0),
  );
  expect(index.entries[0]).toMatchObject({ path: "second", uid: 5, gid: 8 });
});

test("global headers hold for all that follow, and yield to an entry's own", async () => {
  const { index } = await readParts(
    tarEntry({ path: "before" }),
    paxHeader(
      [
        ["uid", "9"],
        ["mtime", "77"],
        ["comment", "a git commit"],
      ],
      "g",
    ),
    tarEntry({ path: "a" }),
    tarEntry({ path: "b", pax: { uid: "10" } }),
    paxHeader([["uid", ""]], "g"),
    tarEntry({ path: "c" }),
    paxHeader([["uid", "11"]], "g"),
  );
  expect(index.entries.map(({ path, uid, mtimeSeconds }) => [path, uid, mtimeSeconds])).toEqual([
    ["before", 0, 0],
    ["a", 9, 77],
    ["b", 10, 77],
    ["c", 0, 77],
  ]);
});

test("extended attributes hold any byte, and those of the machine that built it are left out", async () => {
  const binary = Buffer.from([0, 0x0a, 0xff, 0x3d, 0x0a]);
  const { index } = await readParts(
    tarEntry({
      path: "a",
      xattrs: {
        "security.capability": binary,
        "user.empty": "",
        "user.a=b": "never",
        "security.selinux": "x",
        "system.nfs4_acl": "x",
        "trusted.overlay.opaque": "y",
        "user.overlay.opaque": "y",
        "trusted.mine": "z",
        nonsense: "x",
      },
    }),
  );
  // A record's key ends at the first "=": the rest is value.
  expect(
    [...(entryAt(index, "a").xattrs ?? [])].map(([name, value]) => [
      name,
      Buffer.from(value).toString("hex"),
    ]),
  ).toEqual([
    ["security.capability", binary.toString("hex")],
    ["user.empty", ""],
    ["user.a", Buffer.from("b=never").toString("hex")],
    ["trusted.mine", "7a"],
  ]);
});

test("libarchive's form of extended attributes: base64, the name as in an URL; SCHILY's wins", async () => {
  const { index } = await readParts(
    tarEntry({
      path: "a",
      pax: {
        "LIBARCHIVE.xattr.user.sp%20ace": "AP8K",
        "LIBARCHIVE.xattr.user.both": "AAAA",
        "SCHILY.xattr.user.both": "plain",
      },
    }),
  );
  const xattrs = entryAt(index, "a").xattrs;
  expect(Buffer.from(xattrs?.get("user.sp ace") ?? []).toString("hex")).toBe("00ff0a");
  expect(Buffer.from(xattrs?.get("user.both") ?? []).toString()).toBe("plain");
  expect(xattrs?.size).toBe(2);
});

test("GNU long names and links, in both orders, and no prefix in GNU's form", async () => {
  const name = `${"n".repeat(120)}/x`;
  const link = "l".repeat(300);
  const { index } = await readParts(
    gnuLong("K", link),
    gnuLong("L", name),
    tarEntry({ path: name, form: "gnu", linkTarget: link }),
    gnuLong("L", `${name}1`),
    gnuLong("K", link),
    tarEntry({ path: "short", form: "gnu", linkTarget: "short" }),
    tarEntry({ path: "plain", form: "gnu", prefix: "nottaken" }),
    tarEntry({ path: "plain", prefix: "taken/by" }),
    tarEntry({ path: "s", form: "star", prefix: `${"p".repeat(130)}\0notthis` }),
  );
  expect(index.entries.map((entry) => [entry.path, entry.linkTarget])).toEqual([
    [name, link],
    [`${name}1`, link],
    ["plain", ""],
    ["taken/by/plain", ""],
    [`${"p".repeat(130)}/s`, ""],
  ]);
});

test("base-256 numbers: large, and negative times", async () => {
  const { index } = await readParts(
    tarEntry({ path: "a", base256: true, uid: 3_000_000_000, gid: 70_000, mtime: -86_400, content: "abc" }),
    tarEntry({ path: "b", base256: true, mtime: 8_589_934_592 }),
  );
  expect(entryAt(index, "a")).toMatchObject({
    uid: 3_000_000_000,
    gid: 70_000,
    mtimeSeconds: -86_400,
    sizeBytes: 3,
  });
  expect(entryAt(index, "b").mtimeSeconds).toBe(8_589_934_592);
});

test("checksums of unsigned and of signed bytes; a wrong one is refused", async () => {
  const path = "caf\xe9\xff\xff";
  const { index } = await readParts(tarEntry({ path, checksum: "signed" }), tarEntry({ path: `${path}2` }));
  expect(index.entries.map((entry) => entry.path)).toEqual([path, `${path}2`]);
  expect(await refusalOf([tarEntry({ path: "a", checksum: "wrong" })])).toContain("IMAGE_INVALID");
});

test("names are bytes: none is lost, UTF-8 or not", async () => {
  const every = String.fromCharCode(...Array.from({ length: 255 }, (_, index) => index + 1)).replace("/", "");
  const { index } = await readParts(tarEntry({ path: every.slice(0, 90) }), tarEntry({ path: every }));
  expect(index.entries.map((entry) => entry.path)).toEqual([every.slice(0, 90), every]);
});

test("version 7: no magic, a folder is a name with a slash; contiguous files are files", async () => {
  const { index, text } = await readParts(
    tarEntry({ path: "d/", form: "v7" }),
    tarEntry({ path: "d/f", form: "v7", content: "v7", prefix: "nottaken" }),
    tarEntry({ path: "z/", type: "0" }),
    tarEntry({ path: "c", type: "7", content: "7" }),
  );
  expect(index.entries.map((entry) => [entry.path, entry.type])).toEqual([
    ["d", "directory"],
    ["d/f", "file"],
    ["z", "directory"],
    ["c", "file"],
  ]);
  expect([text("d/f"), text("c")]).toEqual(["v7", "7"]);
});

test("paths are cleaned by the letter and stay in the root", async () => {
  const raw = ["/abs", "./dot", "a//b", "a/./c", "../../up", "a/../../d", "a/b/../e", "..x/...", "dir/./"];
  const { index } = await readParts(...raw.map((path) => tarEntry({ path })));
  expect(index.entries.map((entry) => entry.path)).toEqual([
    "abs",
    "dot",
    "a/b",
    "a/c",
    "up",
    "d",
    "a/e",
    "..x/...",
    "dir",
  ]);
});

test("the size of links, devices and folders is nobody's", async () => {
  const { index } = await readParts(
    tarEntry({ path: "l", linkTarget: "x", size: 5000 }),
    tarEntry({ path: "f", content: "x" }),
    tarEntry({ path: "h", type: "1", linkTarget: "f", size: 1 }),
    tarEntry({ path: "d/", size: 4096 }),
    tarEntry({ path: "n", type: "3", device: [1, 3], size: 77 }),
    tarEntry({ path: "p", type: "6", size: 9 }),
    tarEntry({ path: "b", type: "4", device: [4095, 1_048_575] }),
  );
  expect(index.entries.map((entry) => [entry.path, entry.type, entry.sizeBytes])).toEqual([
    ["l", "symlink", 0],
    ["f", "file", 1],
    ["h", "hardlink", 0],
    ["d", "directory", 0],
    ["n", "character", 0],
    ["p", "fifo", 0],
    ["b", "block", 0],
  ]);
  expect(entryAt(index, "n").device).toEqual({ major: 1, minor: 3 });
  expect(entryAt(index, "b").device).toEqual({ major: 4095, minor: 1_048_575 });
});

test("whiteouts and AUFS's bookkeeping are no entries, whatever their type and size", async () => {
  const { index } = await readParts(
    tarEntry({ path: "a" }),
    tarEntry({ path: "d/.wh.x", content: "body" }),
    tarEntry({ path: "d/.wh..wh..opq" }),
    tarEntry({ path: ".wh.y/" }),
    tarEntry({ path: ".wh..wh.aufs" }),
    tarEntry({ path: ".wh..wh.plnk/12.34", content: "x" }),
    tarEntry({ path: "b.wh.c" }),
  );
  expect(index.entries.map((entry) => entry.path)).toEqual(["a", "b.wh.c"]);
  expect(index.whiteouts).toEqual([
    { kind: "whiteout", path: "d/x", entriesBefore: 1 },
    { kind: "opaque", path: "d", entriesBefore: 1 },
    { kind: "whiteout", path: "y", entriesBefore: 1 },
  ]);
  for (const path of [".wh.", "a/.wh.", ".wh..", ".wh...", "d/.wh.x/y"])
    expect(await refusalOf([tarEntry({ path })])).toContain("IMAGE_INVALID");
});

test("limits: entries, path, name, depth, headers, extended attributes", async () => {
  const deep = (count: number): string => Array.from({ length: count }, () => "d").join("/");
  const cases: [Uint8Array[], keyof LayerLimits][] = [
    [[tarEntry({ path: "a" }), tarEntry({ path: "b" }), tarEntry({ path: ".wh.c" })], "maxEntries"],
    [[tarEntry({ path: deep(40).replaceAll("d", "dddddddddd") })], "maxPathBytes"],
    [[tarEntry({ path: "n".repeat(256) })], "maxNameBytes"],
    [[tarEntry({ path: deep(60) })], "maxDepth"],
    [[tarEntry({ path: "a", pax: { comment: "c".repeat(3000) } })], "maxHeaderBytes"],
    [[gnuLong("L", "n".repeat(3000)), tarEntry({ path: "a" })], "maxHeaderBytes"],
    [
      [1, 2, 3].map(() => paxHeader([["comment", "c".repeat(900)]], "g")).concat(tarEntry({ path: "a" })),
      "maxHeaderBytes",
    ],
    [[tarEntry({ path: "a", xattrs: { "user.x": "v".repeat(600) } })], "maxXattrBytes"],
  ];
  const small = {
    ...defaultLayerLimits,
    maxEntries: 2,
    maxPathBytes: 300,
    maxDepth: 50,
    maxHeaderBytes: 2000,
    maxXattrBytes: 500,
  };
  for (const [parts, limit] of cases) {
    expect([limit, await refusalOf(parts, small)]).toEqual([limit, expect.stringContaining("TOO_LARGE")]);
  }
  // A global header's size is claimed, not there: nothing is made room for.
  expect(await refusalOf([tarHeader({ path: "x", type: "g", size: 8_000_000_000 }, 0)])).toContain(
    "TOO_LARGE",
  );
});

test("global headers may not pile up", async () => {
  const parts = Array.from({ length: 5 }, (_, index) => [
    paxHeader([[`SCHILY.xattr.user.${index}`, "v".repeat(500)]], "g"),
    tarEntry({ path: `f${index}` }),
  ]).flat();
  expect(await refusalOf(parts, { ...defaultLayerLimits, maxHeaderBytes: 2000 })).toContain(
    "global PAX headers",
  );
});

test("what no tar says is refused with the entry's name", async () => {
  const cases: [string, Uint8Array[]][] = [
    ["is not octal", [tarEntry({ path: "a", patch: new Map([[108, "12x45"]]) })]],
    ["PAX header is damaged", [rawHeader("x", Buffer.from("12 path=a")), tarEntry({ path: "a" })]],
    ["PAX header is damaged", [rawHeader("x", Buffer.from("999 path=abc\n")), tarEntry({ path: "a" })]],
    ["PAX header is damaged", [rawHeader("x", Buffer.from("0 path=abc\n")), tarEntry({ path: "a" })]],
    ["holds a NUL", [tarEntry({ path: "a", pax: { path: "b\0c" } })]],
    ["is not a number", [tarEntry({ path: "a", pax: { uid: "-1" } })]],
    ["is not a number", [tarEntry({ path: "a", pax: { mtime: "1e3" } })]],
    ["not a number of 32 bits", [tarEntry({ path: "a", pax: { uid: "4294967296" } })]],
    ["beyond 2^53", [tarEntry({ path: "a", pax: { size: "99999999999999999999" } })]],
    ["negative", [Buffer.concat([tarHeader({ path: "a", base256: true, size: -512 }, 0)])]],
    ['type "M"', [tarEntry({ path: "a", type: "M" })]],
    ['type "?"', [tarEntry({ path: "a", type: "?" })]],
    ["symlink to nothing", [tarEntry({ path: "a", type: "2" })]],
    ["root of an image", [tarEntry({ path: "..", content: "x" })]],
    ["not one that Linux has", [tarEntry({ path: "a", type: "3", device: [1, 2_000_000] })]],
    ["ends in the middle", [Buffer.concat([paxHeader([["path", "x"]])]).subarray(0, 600)]],
    ["wrong checksum", [padded(Buffer.from("<html>this is not a tar archive</html>".repeat(20)))]],
  ];
  for (const [why, parts] of cases)
    expect([why, await refusalOf(parts)]).toEqual([why, expect.stringContaining(why)]);
  expect(await refusalOf([tarEntry({ path: "bad\x1bname", type: "?" })])).toContain('entry "bad\\u001bname"');
});

test("a volume's label is passed over, a PAX header with nothing in it changes nothing", async () => {
  const { index } = await readParts(
    tarEntry({ path: "label", type: "V" }),
    rawHeader("x", Buffer.alloc(0)),
    tarEntry({ path: "a" }),
  );
  expect(index.entries.map((entry) => entry.path)).toEqual(["a"]);
});
