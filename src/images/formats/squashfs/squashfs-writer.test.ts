import { afterAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { needs, needsThat, programPath } from "../../../../test/support/programs.ts";
import { mustRun } from "../../../../test/support/run-program.ts";
import { createScratch } from "../../../../test/support/scratch.ts";
import {
  fileNode,
  folderNode,
  textBytes,
  treeNode,
  type WriteTreeOptions,
  writeTree,
} from "../../../../test/support/squashfs-trees.ts";
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
    const root = everything();
    expect(await extract(root, { codec, preserveDevices: true })).toEqual(describeTree(root));
  });
});

extracts("blocks of 4 KiB and of 1 MiB hold the same files", async () => {
  for (const blockBytes of [4096, 1024 * 1024]) {
    const root = everything();
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
  expect(Object.keys(entries)).toEqual(["", "before", "early", "far", "late"]);
  expect(entries.late).toContain("uid 0 gid 0 mtime 1600000000 ");
  expect(entries.early).toContain(" mtime 5 ");
  expect(entries.before).toContain(" mtime 0 ");
  expect(entries.far).toContain(" mtime 1600000000 ");
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
    await writeTree(everything(), path, { codec: { name: "gzip", level: 6 }, ...way });
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

/** One of each kind, with every awkwardness that fits into a few megabytes. */
function everything(): TreeNode {
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
      noise: fileNode(createNoise(600_000)),
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
function createNoise(sizeBytes: number): Uint8Array {
  const parts: Buffer[] = [];
  for (let at = 0; at < sizeBytes; at += 32) parts.push(createHash("sha256").update(`${at}`).digest());
  return Buffer.concat(parts).subarray(0, sizeBytes);
}

async function extract(root: TreeNode, options: WriteTreeOptions): Promise<{ [path: string]: string }> {
  const image = scratch.at(`image-${made++}`);
  await writeTree(root, image, options);
  const folder = scratch.at(`folder-${made++}`);
  await mustRun([programPath("unsquashfs"), "-quiet", "-no-progress", "-dest", folder, image]);
  return listFolder(folder);
}

/** Every path of a real folder with all that its inode says, and its bytes' digest. */
function listFolder(folder: string): { [path: string]: string } {
  const found: { [path: string]: string } = {};
  const visit = (path: string): void => {
    const real = Buffer.from(path === "" ? folder : `${folder}/${path}`, "latin1");
    const stat = lstatSync(real);
    const type = typeOf(stat);
    const links = type === "directory" ? 0 : stat.nlink;
    found[path] = line({
      type,
      mode: stat.mode & 0o7777,
      uid: stat.uid,
      gid: stat.gid,
      mtimeSeconds: stat.mtimeMs / 1000,
      links,
      device: stat.rdev,
      target: type === "symlink" ? readlinkSync(real, { encoding: "buffer" }).toString("latin1") : "",
      bytes: type === "file" ? readFileSync(real) : new Uint8Array(0),
    });
    if (type !== "directory") return;
    for (const name of readdirSync(real, { encoding: "buffer" }))
      visit(path === "" ? name.toString("latin1") : `${path}/${name.toString("latin1")}`);
  };
  visit("");
  return sorted(found);
}

/** The same of a tree that was made by hand. */
function describeTree(root: TreeNode): { [path: string]: string } {
  const found: { [path: string]: string } = {};
  const visit = (path: string, node: TreeNode): void => {
    const { major = 0, minor = 0 } = node.device ?? {};
    found[path] = line({
      ...node,
      links: node.type === "directory" ? 0 : node.links,
      device: (major << 8) | (minor & 0xff) | ((minor & ~0xff) << 12),
      target: node.linkTarget,
      bytes: node.content !== undefined && "bytes" in node.content ? node.content.bytes : new Uint8Array(0),
    });
    for (const [name, child] of node.children ?? []) visit(path === "" ? name : `${path}/${name}`, child);
  };
  visit("", root);
  return sorted(found);
}

interface Line extends Pick<TreeNode, "type" | "mode" | "uid" | "gid" | "mtimeSeconds" | "links"> {
  readonly device: number;
  readonly target: string;
  readonly bytes: Uint8Array;
}

function line(of: Line): string {
  const digest = createHash("sha256").update(of.bytes).digest("hex").slice(0, 16);
  return `${of.type} ${of.mode.toString(8)} uid ${of.uid} gid ${of.gid} mtime ${of.mtimeSeconds} links ${of.links} device ${of.device} ${of.bytes.length} bytes ${digest} → ${of.target}`;
}

function typeOf(stat: ReturnType<typeof lstatSync>): TreeNode["type"] {
  if (stat?.isDirectory()) return "directory";
  if (stat?.isFile()) return "file";
  if (stat?.isSymbolicLink()) return "symlink";
  if (stat?.isFIFO()) return "fifo";
  return stat?.isBlockDevice() ? "block" : "character";
}

function sorted(found: { [path: string]: string }): { [path: string]: string } {
  return Object.fromEntries(Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1)));
}
