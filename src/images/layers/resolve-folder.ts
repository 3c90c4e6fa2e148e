import { invalidLayer, overLimit } from "./refuse.ts";
import { createFolder, isFolder, type TreeFolder, unlink } from "./tree-folder.ts";

/** The folders from the root to the one that was asked for, and the names that lead from each to the next. */
export interface FolderChain {
  readonly folders: readonly TreeFolder[];
  readonly names: readonly string[];
}

/**
 * The folder behind a path as it is now: symlinks are followed, within the root, at most 40 (Linux: MAXSYMLINKS)
 * with at most 1,024 names after the first of them: forty of 2,000 dots each would cost milliseconds for every entry behind them. With `make`, what is missing is made,
 * and what is no folder is replaced by one, as a runtime on overlayfs does it; a loop is IMAGE_INVALID, too deep a place TOO_LARGE. With `find`,
 * undefined for all that.
 */
export function resolveFolder(
  root: TreeFolder,
  path: string,
  maxDepth: number,
  make: "make" | "find",
): FolderChain | undefined {
  const folders = [root];
  const names: string[] = [];
  const rest = components(path);
  let links = 0;
  let steps = 0;
  for (let name = rest.pop(); name !== undefined; name = rest.pop()) {
    if (name === "" || name === ".") continue;
    if (name === "..") {
      if (names.pop() !== undefined) folders.pop();
      continue;
    }
    const folder = folders[folders.length - 1] ?? root;
    let child = folder.children.get(name);
    if (child?.type === "symlink") {
      if (++links > MAX_LINKS) {
        if (make === "find") return undefined;
        throw invalidLayer(`its path leads through more than ${MAX_LINKS} symlinks`);
      }
      if (child.linkTarget.startsWith("/")) folders.length = 1;
      names.length = folders.length - 1;
      const target = components(child.linkTarget);
      // The first may be as long as Linux lets it be.
      if (links > 1 && (steps += target.length) > MAX_STEPS) {
        if (make === "find") return undefined;
        throw overLimit(`the symlinks in its path have more than ${MAX_STEPS} names`, "maxPathBytes");
      }
      rest.push(...target);
      continue;
    }
    if (!isFolder(child)) {
      if (make === "find") return undefined;
      unlink(folder, name);
      const made = createFolder();
      folder.children.set(name, made);
      child = made;
    }
    if (!isFolder(child)) return undefined;
    folders.push(child);
    names.push(name);
    // Each path by itself is short enough; symlinks to the deepest folder would go on from there.
    if (names.length > maxDepth && make === "make")
      throw overLimit(`it lies deeper than ${maxDepth} folders`, "maxDepth");
  }
  return { folders, names };
}

const MAX_LINKS = 40;
const MAX_STEPS = 1024;

/** Last first. */
function components(path: string): string[] {
  return path.split("/").reverse();
}
