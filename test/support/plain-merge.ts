import type { LayerEntry, LayerIndex } from "../../src/images/contract.ts";

/** A node as the plain merge keeps it: several paths may hold the same object. */
export interface PlainNode {
  type: LayerEntry["type"];
  mode: number;
  uid: number;
  gid: number;
  mtimeSeconds: number;
  linkTarget: string;
  content: string;
}

/**
 * The rules of applying layers once more, slow and plain, to judge `mergeLayers`: the whole tree is a map of full paths, folders are what has paths
 * below, and every question is answered by going through all of it. Undefined where the layers cannot be applied.
 */
export function plainMerge(indexes: readonly LayerIndex[]): Map<string, PlainNode> | undefined {
  const tree = new Map<string, PlainNode>([["", plainFolder()]]);
  for (const [layer, index] of indexes.entries()) if (!applyPlain(tree, index, layer)) return undefined;
  return tree;
}

type Tree = Map<string, PlainNode>;
type Brought = Map<string, "entry" | "parent">;

function applyPlain(tree: Tree, index: LayerIndex, layer: number): boolean {
  const brought: Brought = new Map();
  let waiting: { path: string; target: string }[] = [];
  const steps = stepsOf(index);
  for (const step of steps) {
    if ("kind" in step) {
      applyPlainWhiteout(tree, brought, step);
      continue;
    }
    const { entry, number } = step;
    waiting = waiting.filter((other) => other.path !== entry.path);
    if (entry.path === "") {
      tree.set("", { ...plainNode(entry, ""), type: "directory" });
      continue;
    }
    const path = makeParents(tree, brought, entry.path);
    if (path === undefined) return false;
    if (entry.type === "hardlink") {
      const done = linkPlain(tree, brought, path, entry.linkTarget);
      if (done === "impossible") return false;
      if (done === "later") waiting.push({ path: entry.path, target: entry.linkTarget });
      continue;
    }
    const former = tree.get(path);
    if (!(entry.type === "directory" && former?.type === "directory")) removeAll(tree, path);
    tree.set(path, plainNode(entry, entry.type === "file" ? `${layer}/${number}` : ""));
    brought.set(path, "entry");
  }
  for (let round = 0; round <= index.entries.length; round++) {
    for (const link of waiting) {
      const path = makeParents(tree, brought, link.path);
      if (path === undefined) return false;
      const done = linkPlain(tree, brought, path, link.target);
      if (done === "impossible") return false;
      if (done === "done") waiting = waiting.filter((other) => other !== link);
    }
  }
  return waiting.length === 0;
}

type Step = { entry: LayerEntry; number: number } | LayerIndex["whiteouts"][number];

function stepsOf(index: LayerIndex): Step[] {
  const steps: Step[] = [];
  for (let number = 0; number <= index.entries.length; number++) {
    steps.push(...index.whiteouts.filter((whiteout) => whiteout.entriesBefore === number));
    const entry = index.entries[number];
    if (entry !== undefined) steps.push({ entry, number });
  }
  return steps;
}

function linkPlain(
  tree: Tree,
  brought: Brought,
  path: string,
  target: string,
): "done" | "later" | "impossible" {
  const parent = follow(tree, parentOf(target));
  const node = parent === undefined || parent === "loop" ? undefined : tree.get(join(parent, baseOf(target)));
  if (node === undefined || target === "") return "later";
  if (node.type === "directory") return "impossible";
  if (tree.get(path) !== node) {
    removeAll(tree, path);
    tree.set(path, node);
  }
  brought.set(path, "entry");
  return "done";
}

function applyPlainWhiteout(tree: Tree, brought: Brought, whiteout: LayerIndex["whiteouts"][number]): void {
  const isOpaque = whiteout.kind === "opaque";
  const folder = follow(tree, isOpaque ? whiteout.path : parentOf(whiteout.path));
  if (folder === undefined || folder === "loop") return;
  const top = isOpaque ? folder : join(folder, baseOf(whiteout.path));
  for (const path of [...tree.keys()].sort()) {
    if (!isBelow(path, top) && (isOpaque || path !== top)) continue;
    const how = brought.get(path);
    if (how === undefined) removeAll(tree, path);
    else if (how === "parent") tree.set(path, plainFolder());
  }
}

/** The real path of an entry, its parents made. */
function makeParents(tree: Tree, brought: Brought, path: string): string | undefined {
  const parent = follow(tree, parentOf(path), (made) => {
    removeAll(tree, made);
    tree.set(made, plainFolder());
  });
  if (parent === undefined || parent === "loop") return undefined;
  const steps = parent === "" ? [] : parent.split("/");
  for (let count = 1; count <= steps.length; count++) {
    const above = steps.slice(0, count).join("/");
    if (!brought.has(above)) brought.set(above, "parent");
  }
  return join(parent, baseOf(path));
}

/** The real path of the folder behind a path; undefined where there is none and nobody makes it. */
function follow(tree: Tree, path: string, make?: (path: string) => void): string | undefined {
  let real = "";
  let rest = path.split("/");
  for (let links = 0; rest.length > 0; ) {
    const [name = "", ...others] = rest;
    rest = others;
    if (name === "" || name === ".") continue;
    if (name === "..") {
      real = parentOf(real);
      continue;
    }
    const next = join(real, name);
    const node = tree.get(next);
    if (node?.type === "symlink") {
      if (++links > 40) return "loop";
      if (node.linkTarget.startsWith("/")) real = "";
      rest = [...node.linkTarget.split("/"), ...rest];
      continue;
    }
    if (node?.type !== "directory") {
      if (make === undefined) return undefined;
      make(next);
    }
    real = next;
  }
  return real;
}

function removeAll(tree: Tree, path: string): void {
  for (const other of tree.keys()) if (other === path || isBelow(other, path)) tree.delete(other);
}

function isBelow(path: string, folder: string): boolean {
  return folder === "" ? path !== "" : path.startsWith(`${folder}/`);
}

function plainNode(entry: LayerEntry, content: string): PlainNode {
  const { type, mode, uid, gid, mtimeSeconds, linkTarget } = entry;
  return { type, mode, uid, gid, mtimeSeconds, linkTarget, content };
}

function plainFolder(): PlainNode {
  return { type: "directory", mode: 0o755, uid: 0, gid: 0, mtimeSeconds: 0, linkTarget: "", content: "" };
}

function parentOf(path: string): string {
  return path.split("/").slice(0, -1).join("/");
}

function baseOf(path: string): string {
  return path.split("/").at(-1) ?? "";
}

function join(folder: string, name: string): string {
  return folder === "" ? name : `${folder}/${name}`;
}
