import type { TreeNode } from "../contract.ts";

/** The nodes of a tree with all their names, in the order of their first paths by bytes, parents before what is in them; the root is "". */
export function namesOfTree(root: TreeNode): Map<TreeNode, string[]> {
  const names = new Map<TreeNode, string[]>();
  // No recursion: an image may be deeper than the stack.
  const open: [path: string, node: TreeNode][] = [["", root]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [path, node] = next;
    const known = names.get(node);
    if (known === undefined) names.set(node, [path]);
    else known.push(path);
    const children = [...(node.children ?? [])].sort(([a], [b]) => (a < b ? 1 : -1));
    for (const [name, child] of children) open.push([path === "" ? name : `${path}/${name}`, child]);
  }
  return names;
}
