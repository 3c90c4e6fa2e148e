import { constants, type Stats } from "node:fs";
import { type FileHandle, lstat, mkdir, open, readlink, realpath } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "#core";
import { systemErrorCode } from "./storage-error.ts";

/** A folder that paths may not leave, by `..` or by a link. */
export interface Root {
  /** Absolute. Other absolute spellings of it (before links were resolved) that links may use. */
  readonly path: string;
  readonly aliases: readonly string[];
  readonly uid: number;
  readonly gid: number;
}

/** Where a path under a root ended: the folder that holds it, open, and the name in it. */
export interface RootedName {
  readonly folder: FileHandle;
  readonly name: string;
  /** A name in that folder as a path: on Linux one that stays with the open folder, wherever somebody moves it; elsewhere plain text. */
  readonly pathOf: (name: string) => string;
  /** What has that name; never a link. undefined: nothing. */
  readonly found: Stats | undefined;
  /** Every folder from the root to `folder`, both included. */
  readonly folders: readonly Stats[];
}

const MAX_LINKS = 20;
const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** The root as it really is. undefined when there is no such folder. */
export async function findRoot(path: string): Promise<Root | undefined> {
  try {
    const real = await realpath(path);
    const { uid, gid } = await lstat(real);
    return { path: real, aliases: [path], uid, gid };
  } catch (cause) {
    if (systemErrorCode(cause) === "ENOENT") return undefined;
    throw cause;
  }
}

/**
 * Walks a path below a root folder by folder, each opened without following links, so that nobody can put a link in between.
 * Links are followed by hand and only to what is under the root; UNSAFE_PATH for the others. `folderMode` makes missing folders,
 * else a missing one gives undefined. `use` gets the end of the path; what it opened is closed after it.
 */
export async function atRootedPath<T>(
  root: Root,
  path: string,
  options: { readonly folderMode?: number; readonly made?: (folder: FileHandle) => Promise<void> },
  use: (end: RootedName) => Promise<T>,
): Promise<T | undefined> {
  const stack: Opened[] = [await openFolder(root.path, root.path)];
  const opened: FileHandle[] = stack.map((each) => each.handle);
  try {
    const rest = segments(path);
    let links = 0;
    for (;;) {
      const name = rest.shift();
      const top = stack.at(-1);
      if (top === undefined) throw unsafe(path, "leads out of", root);
      if (name === undefined) throw new AppError("UNSAFE_PATH", `${path} names a folder, not a file`);
      if (name === "..") {
        stack.pop();
        if (stack.length === 0) throw unsafe(path, "leads out of", root);
        continue;
      }
      const found = await statIn(top, name);
      if (found?.isSymbolicLink() === true) {
        if (++links > MAX_LINKS) throw unsafe(path, "leads through too many links in", root);
        const target = await readlink(inside(top, name));
        if (target.startsWith("/")) {
          rest.unshift(...segments(underRoot(target, root, path)));
          stack.length = 1;
        } else rest.unshift(...segments(target));
        continue;
      }
      if (rest.length === 0) {
        const folders = stack.map((each) => each.stat);
        return await use({ folder: top.handle, name, found, folders, pathOf: (other) => inside(top, other) });
      }
      if (found === undefined) {
        if (options.folderMode === undefined) return undefined;
        await mkdir(inside(top, name), { mode: options.folderMode });
        await top.handle.sync();
      }
      const next = await openFolder(inside(top, name), join(top.path, name));
      opened.push(next.handle);
      if (found === undefined) await options.made?.(next.handle);
      stack.push(next);
    }
  } finally {
    for (const handle of opened) await handle.close();
  }
}

interface Opened {
  readonly handle: FileHandle;
  readonly stat: Stats;
  readonly path: string;
}

async function openFolder(path: string, shown: string): Promise<Opened> {
  const handle = await open(path, FOLDER);
  try {
    return { handle, stat: await handle.stat(), path: shown };
  } catch (cause) {
    await handle.close();
    throw cause;
  }
}

function inside(folder: Opened, name: string): string {
  return process.platform === "linux" ? `/proc/self/fd/${folder.handle.fd}/${name}` : join(folder.path, name);
}

async function statIn(folder: Opened, name: string): Promise<Stats | undefined> {
  try {
    return await lstat(inside(folder, name));
  } catch (cause) {
    if (systemErrorCode(cause) === "ENOENT") return undefined;
    throw cause;
  }
}

function segments(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}

function underRoot(target: string, root: Root, path: string): string {
  for (const base of [root.path, ...root.aliases]) {
    const prefix = base === "/" ? "/" : `${base}/`;
    if (target.startsWith(prefix)) return target.slice(prefix.length);
  }
  throw unsafe(path, "is a link out of", root);
}

function unsafe(path: string, what: string, root: Root): AppError {
  return new AppError("UNSAFE_PATH", `${path} ${what} ${root.path}`, {
    hint: "replace the link by a folder or file of its own, or name the real path",
  });
}
