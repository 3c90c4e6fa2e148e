import type { LayerIndex } from "../contract.ts";

/**
 * What upper layers hide by path, for a reader that goes from the top layer down and wants to skip content that is dead.
 * It looks at paths as they are written, so content that it calls hidden may live on all the same: under a hard link's name, or where a parent is a
 * symlink in one layer and not in another. Whoever skips by it asks the merged tree afterwards and reads again what lives.
 */
export interface ShadowFilter {
  /** Takes an upper layer in, once its index is known. */
  add(index: LayerIndex): void;
  /** True when a file of this path in a layer below those that were added is not in the merged tree under that path. */
  hides(path: string): boolean;
}

export function createShadowFilter(): ShadowFilter {
  /** Paths that replace a file there. */
  const replaced = new Set<string>();
  /** Paths that hide all below them. */
  const covered = new Set<string>();
  return {
    add(index) {
      for (const { path, type, linkTarget } of index.entries) {
        // Linked to itself, a name keeps what it is.
        if (type === "hardlink" && linkTarget === path) continue;
        replaced.add(path);
        if (type !== "directory") covered.add(path);
      }
      for (const { path, kind } of index.whiteouts) {
        if (kind === "whiteout") replaced.add(path);
        covered.add(path);
      }
    },
    hides(path) {
      if (replaced.has(path) || covered.has("")) return true;
      for (let slash = path.indexOf("/"); slash >= 0; slash = path.indexOf("/", slash + 1))
        if (covered.has(path.slice(0, slash))) return true;
      return false;
    },
  };
}
