import type { LayerEntry, TreeNode } from "../contract.ts";

/** A folder of the tree: its children are there. */
export type TreeFolder = TreeNode & { type: "directory"; children: Map<string, TreeNode> };

export function isFolder(node: TreeNode | undefined): node is TreeFolder {
  return node?.type === "directory";
}

/** A folder that nothing describes: a parent that no layer has an entry for. */
export function createFolder(): TreeFolder {
  return {
    type: "directory",
    mode: 0o755,
    uid: 0,
    gid: 0,
    mtimeSeconds: 0,
    xattrs: undefined,
    linkTarget: "",
    device: undefined,
    links: 1,
    sizeBytes: 0,
    content: undefined,
    children: new Map(),
  };
}

/** Gives a node what an entry says of mode, owner, time and extended attributes; nothing of the former stays. */
export function setAttributes(node: TreeNode, from: LayerEntry | TreeNode): void {
  node.mode = from.mode;
  node.uid = from.uid;
  node.gid = from.gid;
  node.mtimeSeconds = from.mtimeSeconds;
  node.xattrs = from.xattrs;
}

/** The node of an entry that is not a hard link. */
export function createNode(
  entry: LayerEntry & { readonly type: TreeNode["type"] },
  content: TreeNode["content"],
): TreeNode {
  const isDirectory = entry.type === "directory";
  return {
    type: entry.type,
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    mtimeSeconds: entry.mtimeSeconds,
    xattrs: entry.xattrs,
    linkTarget: entry.linkTarget,
    device: entry.device,
    links: 1,
    sizeBytes: entry.sizeBytes,
    content: entry.type === "file" ? content : undefined,
    children: isDirectory ? new Map() : undefined,
  };
}

/** Takes a name away, with all below it. */
export function unlink(folder: TreeFolder, name: string): void {
  const node = folder.children.get(name);
  if (node === undefined) return;
  folder.children.delete(name);
  const gone = [node];
  for (let next = gone.pop(); next !== undefined; next = gone.pop()) {
    next.links--;
    // Not spread: a folder may have more names than a call takes arguments.
    for (const child of next.children?.values() ?? []) gone.push(child);
  }
}
