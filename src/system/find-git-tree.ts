import { lstat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { toStorageError } from "./storage-error.ts";

/** The working tree of git that this folder lies in (the folder with `.git`, which may be a file); undefined outside of any. */
export async function findGitTree(folder: string): Promise<string | undefined> {
  for (let at = resolve(folder); ; at = dirname(at)) {
    try {
      await lstat(join(at, ".git"));
      return at;
    } catch (cause) {
      // A folder that may not be looked into is nobody's working tree for this user.
      const { code } = cause as NodeJS.ErrnoException;
      if (code !== "ENOENT" && code !== "ENOTDIR" && code !== "EACCES")
        throw toStorageError(cause, `looking into ${at}`);
    }
    if (dirname(at) === at) return undefined;
  }
}
