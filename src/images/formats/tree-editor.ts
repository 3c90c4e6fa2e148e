import type { TreeNode } from "../contract.ts";
import { defaultLayerLimits } from "../layers/layer-limits.ts";
import { invalidLayer } from "../layers/refuse.ts";
import { resolveFolder } from "../layers/resolve-folder.ts";
import { createFolder, isFolder, type TreeFolder, unlink } from "../layers/tree-folder.ts";

const { maxDepth } = defaultLayerLimits;
const MAX_LINKS = 40;

/**
 * Adds what a runtime wants to find to an image's merged tree. Paths are relative to the root, in UTF-8; their folders are made where they are
 * missing, and found through symlinks within the root, as the runtime would find them. All that is made belongs to root. Throws IMAGE_INVALID, TOO_LARGE
 * for an image whose own symlinks lead in circles.
 */
export class TreeEditor {
  readonly #root: TreeFolder;
  readonly #mtimeSeconds: number;

  constructor(root: TreeNode, mtimeSeconds: number) {
    if (!isFolder(root)) throw invalidLayer("its root is no folder");
    this.#root = root;
    this.#mtimeSeconds = mtimeSeconds;
  }

  /** A folder that is there, or a symlink, stays as it is. */
  addFolder(path: string): void {
    const { folder, name } = this.#parent(path);
    const before = folder.children.get(name);
    if (before?.type === "directory" || before?.type === "symlink") return;
    unlink(folder, name);
    folder.children.set(name, { ...createFolder(), mtimeSeconds: this.#mtimeSeconds });
  }

  /** Takes the place of what is there. */
  putFile(path: string, text: string, mode: number): void {
    const bytes = new TextEncoder().encode(text);
    this.#put(path, { type: "file", mode, content: { bytes }, sizeBytes: bytes.length });
  }

  /** Takes the place of another symlink; anything else that is there stays. */
  addSymlink(path: string, target: string): void {
    const { folder, name } = this.#parent(path);
    const before = folder.children.get(name);
    if (before !== undefined && before.type !== "symlink") return;
    this.#put(path, { type: "symlink", mode: 0o777, linkTarget: latin1(target) });
  }

  /** The folder that a path leads to, made where it is missing: its own path, without symlinks. */
  ensureFolder(path: string): string {
    const chain = resolveFolder(this.#root, latin1(path), maxDepth, "make");
    return utf8((chain?.names ?? []).join("/"));
  }

  #parent(path: string): { readonly folder: TreeFolder; readonly name: string } {
    const slash = path.lastIndexOf("/");
    const chain = resolveFolder(this.#root, latin1(path.slice(0, Math.max(0, slash))), maxDepth, "make");
    return { folder: chain?.folders.at(-1) ?? this.#root, name: latin1(path.slice(slash + 1)) };
  }

  #put(path: string, own: Partial<TreeNode>): void {
    const { folder, name } = this.#parent(path);
    unlink(folder, name);
    const plain = { ...createFolder(), children: undefined, mtimeSeconds: this.#mtimeSeconds };
    folder.children.set(name, { ...plain, ...own });
  }
}

/** The node that a path leads to, through symlinks within the root; undefined for none. */
export function findNode(root: TreeNode, path: string): TreeNode | undefined {
  if (!isFolder(root)) return undefined;
  let wanted = latin1(path);
  for (let links = 0; links <= MAX_LINKS; links++) {
    const slash = wanted.lastIndexOf("/");
    const chain = resolveFolder(root, wanted.slice(0, Math.max(0, slash)), maxDepth, "find");
    const node = chain?.folders.at(-1)?.children.get(wanted.slice(slash + 1));
    if (node?.type !== "symlink") return node;
    const { linkTarget } = node;
    wanted = linkTarget.startsWith("/") ? linkTarget : [...(chain?.names ?? []), linkTarget].join("/");
  }
  return undefined;
}

/** A name as a tree has it: one character for each byte. */
function latin1(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

function utf8(name: string): string {
  return Buffer.from(name, "latin1").toString("utf8");
}
