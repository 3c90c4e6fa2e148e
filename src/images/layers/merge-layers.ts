import { AppError } from "#core";
import type { LayerEntry, LayerIndex, TreeNode, Whiteout } from "../contract.ts";
import { defaultLayerLimits } from "./layer-limits.ts";
import { invalidLayer, shownName } from "./refuse.ts";
import { resolveFolder } from "./resolve-folder.ts";
import { createFolder, createNode, isFolder, setAttributes, type TreeFolder, unlink } from "./tree-folder.ts";

/**
 * The tree that layers make, lowest first (image-spec, layer.md "Applying Changesets"):
 * - a folder over a folder gives it new attributes; anything else replaces what was there, with all below it;
 * - whiteouts take away what lower layers brought, wherever in the tar they stand;
 * - of two entries of one path in a layer the later one holds;
 * - parents are found through symlinks, within the root; missing ones are 0755, root's, of 1970;
 * - a hard link is one more name of a node of this or a lower layer, a later entry of its layer included; its own header says nothing.
 * Throws IMAGE_INVALID and TOO_LARGE, which name the layer's number (from 1) and the entry.
 */
export function mergeLayers(
  indexes: readonly LayerIndex[],
  limits: { readonly maxDepth: number } = defaultLayerLimits,
): TreeNode {
  const root = createFolder();
  for (const [number, index] of indexes.entries()) new LayerMerge(root, number, limits.maxDepth).apply(index);
  return root;
}

/** One layer being laid over the tree of those below it. */
class LayerMerge {
  readonly #root: TreeFolder;
  readonly #layer: number;
  readonly #maxDepth: number;
  /** Parents as entries write them: most entries share theirs with the one before. */
  readonly #parents = new Map<string, TreeFolder>();
  /** Names that this layer brought, by folder: whiteouts spare them. Kept only where there are whiteouts. */
  #brought: Map<TreeFolder, Map<string, "entry" | "parent">> | undefined;
  /** Folders that hold nothing of the layers below any more. */
  readonly #cleared = new Set<TreeFolder>();
  /** Hard links to what has not come yet, by path. */
  readonly #waiting = new Map<string, LayerEntry>();

  constructor(root: TreeFolder, layer: number, maxDepth: number) {
    this.#root = root;
    this.#layer = layer;
    this.#maxDepth = maxDepth;
  }

  apply(index: LayerIndex): void {
    if (index.whiteouts.length > 0) this.#brought = new Map();
    let next = 0;
    for (let number = 0; number <= index.entries.length; number++) {
      for (; next < index.whiteouts.length; next++) {
        const whiteout = index.whiteouts[next];
        if (whiteout === undefined || whiteout.entriesBefore > number) break;
        this.#applyWhiteout(whiteout);
      }
      const entry = index.entries[number];
      if (entry !== undefined) this.#applyNamed(entry, number);
    }
    this.#linkWaiting();
  }

  #applyNamed(entry: LayerEntry, number: number): void {
    try {
      this.#applyEntry(entry, number);
    } catch (cause) {
      if (!(cause instanceof AppError)) throw cause;
      const message = `layer ${this.#layer + 1}, entry ${shownName(entry.path)}: ${cause.message}`;
      throw new AppError(cause.code, message, { cause });
    }
  }

  #applyEntry(entry: LayerEntry, number: number): void {
    if (this.#waiting.size > 0) this.#waiting.delete(entry.path);
    if (entry.path === "") {
      setAttributes(this.#root, entry);
      return;
    }
    const { folder, name } = this.#parentOf(entry.path);
    if (!isOwnNode(entry)) {
      if (!this.#link(folder, name, entry)) this.#waiting.set(entry.path, entry);
      return;
    }
    const former = folder.children.get(name);
    if (entry.type === "directory" && isFolder(former)) setAttributes(former, entry);
    else {
      if (former !== undefined) this.#remove(folder, name, former);
      folder.children.set(name, createNode(entry, { layer: this.#layer, entry: number }));
    }
    this.#note(folder, name, "entry");
  }

  /** False where the target is not there (yet). */
  #link(folder: TreeFolder, name: string, entry: LayerEntry): boolean {
    const target = this.#find(entry.linkTarget);
    if (target === undefined) return false;
    if (isFolder(target)) throw invalidLayer("it is a hard link to a folder");
    const former = folder.children.get(name);
    if (former !== target) {
      target.links++;
      if (former !== undefined) this.#remove(folder, name, former);
      folder.children.set(name, target);
    }
    this.#note(folder, name, "entry");
    return true;
  }

  /** Links may wait for one another, so as long as one more finds its target. */
  #linkWaiting(): void {
    let before = -1;
    // A chain written backwards would take a round for each of its links: nobody's is long.
    for (
      let round = 0;
      round < MAX_WAITS && this.#waiting.size > 0 && this.#waiting.size !== before;
      round++
    ) {
      before = this.#waiting.size;
      // A copy: one that has to wait on comes back to the end.
      const waiting = Array.from(this.#waiting.values());
      for (const entry of waiting) this.#applyNamed(entry, 0);
    }
    for (const entry of this.#waiting.values()) {
      const target = shownName(entry.linkTarget);
      throw invalidLayer(
        `layer ${this.#layer + 1}, entry ${shownName(entry.path)}: it is a hard link to ${target}, which is not there`,
      );
    }
  }

  /** What is at a path, its last symlink not followed; undefined for the root, which nothing links to. */
  #find(path: string): TreeNode | undefined {
    const { parent, name } = splitPath(path);
    const folder = this.#parents.get(parent) ?? this.#folderAt(parent);
    return folder?.children.get(name);
  }

  #folderAt(path: string): TreeFolder | undefined {
    return resolveFolder(this.#root, path, this.#maxDepth, "find")?.folders.at(-1);
  }

  #parentOf(path: string): { folder: TreeFolder; name: string } {
    const { parent, name } = splitPath(path);
    const known = this.#parents.get(parent);
    if (known !== undefined) return { folder: known, name };
    const chain = resolveFolder(this.#root, parent, this.#maxDepth, "make");
    const folder = chain?.folders.at(-1) ?? this.#root;
    for (const [depth, step] of (chain?.names ?? []).entries()) {
      const above = chain?.folders[depth];
      if (above !== undefined) this.#note(above, step, "parent");
    }
    this.#parents.set(parent, folder);
    return { folder, name };
  }

  /** Parents that were found through what goes away are not theirs any more. */
  #remove(folder: TreeFolder, name: string, node: TreeNode): void {
    if (node.type === "directory" || node.type === "symlink") this.#parents.clear();
    unlink(folder, name);
  }

  #note(folder: TreeFolder, name: string, how: "entry" | "parent"): void {
    if (this.#brought === undefined) return;
    let names = this.#brought.get(folder);
    if (names === undefined) this.#brought.set(folder, (names = new Map()));
    if (how === "entry" || !names.has(name)) names.set(name, how);
  }

  #applyWhiteout({ kind, path }: Whiteout): void {
    if (kind === "opaque") {
      const folder = this.#folderAt(path);
      if (folder !== undefined) this.#clear(folder);
      return;
    }
    const { parent, name } = splitPath(path);
    const folder = this.#folderAt(parent);
    if (folder !== undefined) this.#hide(folder, name);
  }

  /** Takes away what lower layers have at a name; of a folder that this layer brought again, what they have in it and said of it. */
  #hide(folder: TreeFolder, name: string): void {
    const node = folder.children.get(name);
    if (node === undefined) return;
    const how = this.#brought?.get(folder)?.get(name);
    if (how === undefined) return this.#remove(folder, name, node);
    if (!isFolder(node)) return;
    if (how === "parent") setAttributes(node, createFolder());
    this.#clear(node);
  }

  #clear(folder: TreeFolder): void {
    // What is in it now is this layer's, and nothing of those below comes back: a marker that is there a million times is one.
    if (this.#cleared.has(folder)) return;
    this.#cleared.add(folder);
    for (const name of folder.children.keys()) this.#hide(folder, name);
  }
}

/** Hard links to hard links to … what comes later. */
const MAX_WAITS = 40;

function isOwnNode(entry: LayerEntry): entry is LayerEntry & { readonly type: TreeNode["type"] } {
  return entry.type !== "hardlink";
}

function splitPath(path: string): { parent: string; name: string } {
  const slash = path.lastIndexOf("/");
  return slash < 0
    ? { parent: "", name: path }
    : { parent: path.slice(0, slash), name: path.slice(slash + 1) };
}
