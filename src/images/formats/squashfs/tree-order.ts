import { AppError } from "#core";
import type { TreeNode } from "../../contract.ts";

/** A folder with what is kept of it, sorted by the bytes of the names. */
export interface Folder {
  readonly node: TreeNode;
  readonly parent: Folder | undefined;
  readonly names: readonly (readonly [string, TreeNode])[];
}

/** The order of inodes: folders behind all that is in them. */
export interface TreeOrder {
  readonly folders: readonly Folder[];
  /** From 1, without gaps, in the order in which inodes are written. */
  readonly numbers: ReadonlyMap<TreeNode, number>;
}

/** Orders a tree for writing. `isKept` says which nodes are there at all; the root is, always. */
export function orderTree(root: TreeNode, isKept: (node: TreeNode) => boolean): TreeOrder {
  if (root.type !== "directory")
    throw new AppError("INTERNAL", "the tree to be written has no folder as its root");
  const folders: Folder[] = [];
  // No recursion: an image may be deeper than the stack.
  const open: { folder: Folder; next: number }[] = [{ folder: openFolder(root, undefined, isKept), next: 0 }];
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    const child = top.folder.names[top.next++]?.[1];
    if (child === undefined) {
      folders.push(top.folder);
      open.pop();
    } else if (child.type === "directory") {
      open.push({ folder: openFolder(child, top.folder, isKept), next: 0 });
    }
  }
  const numbers = new Map<TreeNode, number>();
  for (const folder of folders) {
    // Side by side, so that the listing's entries share a header.
    for (const [, node] of folder.names)
      if (node.type !== "directory" && !numbers.has(node)) numbers.set(node, numbers.size + 1);
    numbers.set(folder.node, numbers.size + 1);
  }
  return { folders, numbers };
}

function openFolder(node: TreeNode, parent: Folder | undefined, isKept: (node: TreeNode) => boolean): Folder {
  const names = [...(node.children ?? [])].filter(([, child]) => isKept(child));
  return { node, parent, names: names.sort(([a], [b]) => (a < b ? -1 : 1)) };
}
