import { randomBytes } from "node:crypto";
import { constants, type Stats } from "node:fs";
import { type FileHandle, lstat, open, readdir, rename, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { AppError } from "#core";
import { atRootedPath, type Root, type RootedName } from "./rooted-folder.ts";
import { systemErrorCode, toStorageError } from "./storage-error.ts";

/** A file found under a root. */
export interface RootedFile {
  readonly bytes: Uint8Array;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export interface RootedWrite {
  /** Permission bits of a new file; of an existing one both its and these, so that none is widened. */
  readonly mode: number;
  readonly folderMode: number;
  /** Owner of new files and folders, where this process is root and writes for somebody. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

/** A write takes milliseconds: a temporary file of this age has no writer any more. */
const STALE_MS = 60 * 60 * 1000;

/** The bytes below a root; undefined when nothing is there. Throws UNSAFE_PATH, TOO_LARGE, INVALID_INPUT for no regular file, PERMISSION_DENIED, STORAGE_FAILED. */
export async function readRooted(
  root: Root,
  path: string,
  maxBytes: number,
): Promise<RootedFile | undefined> {
  return guarded(`reading ${path}`, () =>
    atRootedPath(root, path, {}, async ({ name, found, pathOf }) => {
      if (found === undefined) return undefined;
      if (!found.isFile()) throw new AppError("INVALID_INPUT", `${path} is not a regular file`);
      const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
      const handle = await open(pathOf(name), flags);
      try {
        const stat = await handle.stat();
        if (stat.size > maxBytes) throw new AppError("TOO_LARGE", `${path} is larger than ${maxBytes} bytes`);
        const bytes = new Uint8Array(await handle.readFile());
        return { bytes, mode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid };
      } finally {
        await handle.close();
      }
    }),
  );
}

/**
 * Replaces a file below a root: temporary file in the same folder, fsync, rename, folder fsync. Keeps owner and group of an existing
 * file. A secret (a mode without group and others) is refused with UNSAFE_PATH where somebody else can write to a folder above it.
 */
export async function writeRooted(
  root: Root,
  path: string,
  bytes: Uint8Array,
  options: RootedWrite,
): Promise<void> {
  const made = async (folder: FileHandle): Promise<void> => {
    if (options.owner !== undefined) await folder.chown(options.owner.uid, options.owner.gid);
  };
  await guarded(`writing ${path}`, () =>
    atRootedPath(root, path, { folderMode: options.folderMode, made }, async (end) => {
      if (end.found !== undefined && !end.found.isFile())
        throw new AppError("INVALID_INPUT", `${path} is not a regular file`);
      if ((options.mode & 0o077) === 0) refuseOpenFolders(path, end.folders);
      await replace(end, bytes, options);
    }),
  );
}

/**
 * Throws UNSAFE_PATH where `writeRooted` would refuse to put a secret: somebody else may write to a folder above it. Folders that are not
 * there yet do not count.
 */
export async function refuseOpenRooted(root: Root, path: string): Promise<void> {
  await guarded(`writing ${path}`, async () => {
    for (let below = path; ; below = dirname(below)) {
      const isThere = await atRootedPath(root, below, {}, ({ folders }) => {
        refuseOpenFolders(path, folders);
        return Promise.resolve(true);
      });
      if (isThere === true || !/[^/]\/+[^/]/.test(below)) return;
    }
  });
}

/** Removes a file below a root; nothing when it is not there. A link's target goes, the link stays. */
export async function removeRooted(root: Root, path: string): Promise<void> {
  await guarded(`removing ${path}`, () =>
    atRootedPath(root, path, {}, async (end) => {
      const { folder, name, found, pathOf } = end;
      await dropStale(end);
      if (found === undefined) return;
      await unlink(pathOf(name));
      await folder.sync();
    }),
  );
}

/** Names in a folder below a root, sorted; empty when it is not there. */
export async function listRooted(root: Root, path: string): Promise<readonly string[]> {
  const names = await guarded(`listing ${path}`, () =>
    atRootedPath(root, `${path}/.wharf-any-name`, {}, ({ pathOf }) => readdir(pathOf("."))),
  );
  return (names ?? []).sort();
}

async function replace(end: RootedName, bytes: Uint8Array, options: RootedWrite): Promise<void> {
  const { folder, name, found, pathOf } = end;
  const mode = found === undefined ? options.mode : found.mode & options.mode & 0o777;
  const temporary = pathOf(`.${name}.${randomBytes(6).toString("hex")}.tmp`);
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  try {
    const handle = await open(temporary, flags, 0o600);
    try {
      await handle.writeFile(bytes);
      await keepOwner(handle, found, options);
      await handle.chmod(mode);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, pathOf(name));
  } catch (cause) {
    // Best effort: what matters is the first error, and the name is never read again.
    await unlink(temporary).catch(() => undefined);
    throw cause;
  }
  await dropStale(end);
  await folder.sync();
}

/** Temporary files of writers that were killed: they hold what was to be written, which may have been revoked since. */
async function dropStale({ name, pathOf }: RootedName): Promise<void> {
  for (const other of await readdir(pathOf("."))) {
    if (!other.startsWith(`.${name}.`) || !/^[0-9a-f]{12}\.tmp$/.test(other.slice(name.length + 2))) continue;
    try {
      const { mtimeMs } = await lstat(pathOf(other));
      if (Date.now() - mtimeMs > STALE_MS) await unlink(pathOf(other));
    } catch (cause) {
      // Its writer, or another sweeper, was quicker.
      if (systemErrorCode(cause) !== "ENOENT") throw cause;
    }
  }
}

async function keepOwner(handle: FileHandle, found: Stats | undefined, options: RootedWrite): Promise<void> {
  const owner = found ?? options.owner;
  if (owner === undefined) return;
  const own = await handle.stat();
  if (own.uid !== owner.uid || own.gid !== owner.gid) await handle.chown(owner.uid, owner.gid);
}

/** Who may write to a folder may put a file of his own in the place of ours, and read what is written next. */
function refuseOpenFolders(path: string, folders: readonly Stats[]): void {
  for (const folder of folders) {
    const isSticky = (folder.mode & 0o1000) !== 0;
    // A group that is one person's own has that person's number, on every Linux that makes such groups.
    const byGroup = (folder.mode & 0o020) !== 0 && folder.gid !== folder.uid && folder.gid !== 0;
    const byOthers = (folder.mode & 0o002) !== 0;
    if ((byGroup || byOthers) && !isSticky) {
      throw new AppError(
        "UNSAFE_PATH",
        `${path} lies in a folder that ${byOthers ? "everybody" : "its group"} may write to`,
        {
          hint: "take the write permission away (chmod go-w) from the folders above it",
        },
      );
    }
  }
}

async function guarded<T>(doing: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (cause) {
    const code = systemErrorCode(cause);
    if (code === "ENOTDIR" || code === "ELOOP")
      throw new AppError("UNSAFE_PATH", `${doing}: something that is no folder stands in the way`, { cause });
    throw toStorageError(cause, doing);
  }
}
