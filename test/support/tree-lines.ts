import { createHash } from "node:crypto";
import type { TreeNode } from "../../src/images/contract.ts";

/** One path of a tree, as every judge can see it: our merged tree, a real folder, another program's listing. */
export interface TreeLine {
  readonly type: TreeNode["type"];
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeSeconds: number;
  readonly sizeBytes: number;
  readonly linkTarget: string;
  /** `major:minor`; "" for all but devices. */
  readonly device: string;
  /** Hexadecimal values by name, sorted. */
  readonly xattrs: Readonly<Record<string, string>>;
  /** sha256 of a file's content; "" for all but files, or where nobody asked for it. */
  readonly sha256: string;
  /** The first of all paths that are this same node, itself included; "" for a node of one name. */
  readonly sameAs: string;
}

/** Lines by latin1 path, sorted; the root is "". */
export type TreeLines = ReadonlyMap<string, TreeLine>;

/** Which entry of which layer holds a file's bytes. */
export interface LayerContent {
  readonly layer: number;
  readonly entry: number;
}

/** Our merged tree as lines. `sha256Of` looks a file's content up. */
export function describeTree(
  root: TreeNode,
  sha256Of: (content: LayerContent) => string = () => "",
): TreeLines {
  const found = [...nodesByPath(root)];
  const first = new Map<TreeNode, string>();
  for (const [path, node] of found) if (!first.has(node)) first.set(node, path);
  return new Map(
    found.map(([path, node]) => [
      path,
      {
        type: node.type,
        mode: node.mode,
        uid: node.uid,
        gid: node.gid,
        mtimeSeconds: node.mtimeSeconds,
        sizeBytes: node.sizeBytes,
        linkTarget: node.linkTarget,
        device: node.device === undefined ? "" : `${node.device.major}:${node.device.minor}`,
        xattrs: xattrText(node.xattrs ?? new Map()),
        sha256: contentHash(node.content, sha256Of),
        sameAs: node.links > 1 ? (first.get(node) ?? "") : "",
      },
    ]),
  );
}

/** The nodes of a tree by latin1 path, sorted; the root is "". */
export function nodesByPath(root: TreeNode): ReadonlyMap<string, TreeNode> {
  const found: [string, TreeNode][] = [];
  const visit = (path: string, node: TreeNode): void => {
    found.push([path, node]);
    for (const [name, child] of node.children ?? []) visit(path === "" ? name : `${path}/${name}`, child);
  };
  visit("", root);
  return new Map(found.sort(([left], [right]) => (left < right ? -1 : 1)));
}

function contentHash(content: TreeNode["content"], sha256Of: (content: LayerContent) => string): string {
  if (content === undefined) return "";
  if ("bytes" in content) return createHash("sha256").update(content.bytes).digest("hex");
  return sha256Of(content);
}

/** Extended attributes as a line has them. */
export function xattrText(xattrs: ReadonlyMap<string, Uint8Array>): Record<string, string> {
  const names = [...xattrs.keys()].sort();
  return Object.fromEntries(names.map((name) => [name, Buffer.from(xattrs.get(name) ?? []).toString("hex")]));
}
