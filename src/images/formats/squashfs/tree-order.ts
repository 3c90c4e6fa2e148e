import { AppError } from "#core";
import type { TreeNode } from "../../contract.ts";

/** A folder, and the inode number of the first of its nodes that have no other name. */
export interface Folder {
  readonly node: TreeNode;
  readonly parent: Folder | undefined;
  firstNumber: number;
}

/** The order of inodes: folders behind all that is in them. */
export interface TreeOrder {
  readonly folders: readonly Folder[];
  /** Inodes in all: their numbers go from 1 to it. */
  readonly count: number;
  /** Numbers of folders and of nodes of several names; the others have theirs one after the other from their folder's first. */
  readonly numbers: ReadonlyMap<TreeNode, number>;
}

/** Orders a tree for writing. `isKept` says which nodes are there at all; the root is, always. */
export function orderTree(root: TreeNode, isKept: (node: TreeNode) => boolean): TreeOrder {
  if (root.type !== "directory")
    throw new AppError("INTERNAL", "the tree to be written has no folder as its root");
  const folders = listFolders(root);
  const numbers = new Map<TreeNode, number>();
  let next = 1;
  for (const folder of folders) {
    const children = folder.node.children?.values() ?? [];
    let own = 0;
    for (const node of children) {
      if (node.type === "directory" || !isKept(node)) continue;
      if (node.links === 1) own++;
      else if (!numbers.has(node)) numbers.set(node, next++);
    }
    // Side by side, so that the listing's entries share a header.
    folder.firstNumber = next;
    next += own;
    numbers.set(folder.node, next++);
  }
  return { folders, count: next - 1, numbers };
}

/** All folders, each behind those in it. */
function listFolders(root: TreeNode): Folder[] {
  const found: Folder[] = [];
  // No recursion: an image may be deeper than the stack. Backwards, parents come first.
  const open: Folder[] = [{ node: root, parent: undefined, firstNumber: 0 }];
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    found.push(folder);
    for (const child of folder.node.children?.values() ?? [])
      if (child.type === "directory") open.push({ node: child, parent: folder, firstNumber: 0 });
  }
  return found.reverse();
}
