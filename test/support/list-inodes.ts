import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { TreeNode } from "../../src/images/contract.ts";
/** Every path of a real folder with all that its inode says, and its bytes' digest. */
export function listFolder(folder: string): { [path: string]: string } {
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
export function describeTree(root: TreeNode): { [path: string]: string } {
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

/** What kind of node an inode is. */
export function typeOf(stat: ReturnType<typeof lstatSync>): TreeNode["type"] {
  if (stat?.isDirectory()) return "directory";
  if (stat?.isFile()) return "file";
  if (stat?.isSymbolicLink()) return "symlink";
  if (stat?.isFIFO()) return "fifo";
  return stat?.isBlockDevice() ? "block" : "character";
}

function sorted(found: { [path: string]: string }): { [path: string]: string } {
  return Object.fromEntries(Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1)));
}
