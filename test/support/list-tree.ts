import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync, type Stats } from "node:fs";
import type { TreeNode } from "../../src/images/contract.ts";
import { openXattrReader } from "./read-xattrs.ts";
import { type TreeLine, type TreeLines, xattrText } from "./tree-lines.ts";

/** A real folder as lines, to be compared with `describeTree`'s: every path below it, as root sees it. */
export function listTree(folder: string): TreeLines {
  const xattrs = openXattrReader();
  const found: [string, TreeLine & { readonly node: string }][] = [];
  const visit = (path: string): void => {
    const real = Buffer.from(path === "" ? folder : `${folder}/${path}`, "latin1");
    const stat = lstatSync(real);
    const type = typeOf(stat);
    const bytes = type === "file" ? readFileSync(real) : undefined;
    const isDevice = type === "character" || type === "block";
    found.push([
      path,
      {
        type,
        mode: stat.mode & 0o7777,
        uid: stat.uid,
        gid: stat.gid,
        mtimeSeconds: Math.floor(stat.mtimeMs / 1000),
        sizeBytes: bytes?.length ?? 0,
        linkTarget: type === "symlink" ? readlinkSync(real, { encoding: "buffer" }).toString("latin1") : "",
        device: isDevice ? deviceText(stat.rdev) : "",
        xattrs: xattrText(xattrs.read(real)),
        sha256: bytes === undefined ? "" : createHash("sha256").update(bytes).digest("hex"),
        sameAs: "",
        node: type === "directory" || stat.nlink === 1 ? "" : `${stat.dev}:${stat.ino}`,
      },
    ]);
    if (type !== "directory") return;
    for (const name of readdirSync(real, { encoding: "buffer" }))
      visit(path === "" ? name.toString("latin1") : `${path}/${name.toString("latin1")}`);
  };
  try {
    visit("");
  } finally {
    xattrs.close();
  }
  found.sort(([left], [right]) => (left < right ? -1 : 1));
  const first = new Map<string, string>();
  for (const [path, { node }] of found) if (!first.has(node)) first.set(node, path);
  return new Map(
    found.map(([path, { node, ...line }]) => [
      path,
      { ...line, sameAs: node === "" ? "" : (first.get(node) ?? "") },
    ]),
  );
}

/** Linux's device number in its parts. */
function deviceText(rdev: number): string {
  const number = BigInt(rdev);
  const major = ((number >> 8n) & 0xfffn) | ((number >> 32n) & ~0xfffn);
  const minor = (number & 0xffn) | ((number >> 12n) & ~0xffn);
  return `${major}:${minor & 0xffffffffn}`;
}

function typeOf(stat: Stats): TreeNode["type"] {
  if (stat.isDirectory()) return "directory";
  if (stat.isFile()) return "file";
  if (stat.isSymbolicLink()) return "symlink";
  if (stat.isFIFO()) return "fifo";
  return stat.isBlockDevice() ? "block" : "character";
}
