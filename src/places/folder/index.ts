import { resolve } from "node:path";
import { AppError, type Context } from "#core";
import {
  currentAccount,
  findGitTree,
  findRoot,
  listRooted,
  type Root,
  readRooted,
  refuseOpenRooted,
  removeRooted,
  writeRooted,
} from "#system";
import type { Place, PlaceFacts, PlaceFile, WriteOptions } from "../contract.ts";

const MAX_BYTES = 8 * 1024 * 1024;

/**
 * A folder to render into, as if it were the root of a machine: `/etc/docker/x` is written to `DIR/etc/docker/x`. Its user's home is
 * `/`, so `~/.docker/config.json` is `DIR/.docker/config.json`: copy the folder over a home, or over a root. No environment and no
 * programs are there. The folder must exist; links may not leave it.
 */
export function createFolderPlace(folder: string): Place {
  const base = resolve(folder);

  async function root(): Promise<Root> {
    const found = await findRoot(base);
    if (found === undefined)
      throw new AppError("NOT_FOUND", `the folder ${base} is not there`, {
        hint: `make it first: mkdir -m 700 ${base}`,
      });
    return found;
  }

  return {
    name: `folder:${folder}`,
    async facts(_context: Context): Promise<PlaceFacts> {
      const { user, uid } = currentAccount();
      const inGit = (await findGitTree(base)) !== undefined;
      return { home: "", user, uid, env: {}, ...(inGit ? { inGit } : {}) };
    },
    async read(_context: Context, path: string): Promise<PlaceFile | undefined> {
      return readRooted(await root(), path, MAX_BYTES);
    },
    async write(_context: Context, path: string, bytes: Uint8Array, options: WriteOptions): Promise<void> {
      await writeRooted(await root(), path, bytes, options);
    },
    async refuseOpen(_context: Context, path: string): Promise<void> {
      await refuseOpenRooted(await root(), path);
    },
    async remove(_context: Context, path: string): Promise<void> {
      await removeRooted(await root(), path);
    },
    async list(_context: Context, path: string): Promise<readonly string[]> {
      return listRooted(await root(), path);
    },
    version(): Promise<undefined> {
      return Promise.resolve(undefined);
    },
  };
}
