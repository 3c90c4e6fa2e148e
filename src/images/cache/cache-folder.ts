import { chmod, lstat, mkdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "#core";
import { parseDigest } from "#oci";
import { currentUserId, systemErrorCode, toStorageError } from "#system";

/** The folders of an image cache, and what its files are allowed. */
export interface CacheFolder {
  readonly path: string;
  /** As its folder lets others read, so do its files: a cache that is shared is shared by the mode of its folder. */
  readonly fileMode: number;
  /** Every user of the machine may look into it. */
  readonly isOpenToAll: boolean;
  /** Every user of the machine may write into it: what others left there proves nothing by lying there. */
  readonly isWrittenByAll: boolean;
  blobPath(digest: string): string;
  /** What the files of a blob on its way begin with. */
  partialPrefix(digest: string): string;
  readonly partial: string;
  readonly results: string;
  readonly running: string;
  /** Names under which programs read results. */
  readonly uses: string;
}

const FOLDERS = ["blobs", "blobs/sha256", "blobs/sha512", "partial", "results", "running", "uses"];

/** What tells backup programs that all of this can be had again (bford.info/cachedir). */
const TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# made by wharf: images and parts of them\n";

/**
 * Opens the cache in a folder, and makes it where it is not there: for its user alone (0700). A folder that was made with wider rights, for a
 * group or for everybody (sticky bit and set-group-ID included), hands them on. Throws PERMISSION_DENIED, STORAGE_FULL, STORAGE_FAILED.
 */
export async function openCacheFolder(path: string): Promise<CacheFolder> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    const { mode } = await stat(path);
    for (const name of FOLDERS) await makeFolder(join(path, name), mode & 0o7777);
    await writeFile(join(path, "CACHEDIR.TAG"), TAG, { flag: "wx", mode: fileModeOf(mode) }).catch(
      ignoreThere,
    );
    return folderOf(path, mode);
  } catch (cause) {
    throw toStorageError(cause, `opening the image cache ${path}`);
  }
}

function folderOf(path: string, mode: number): CacheFolder {
  return {
    path,
    fileMode: fileModeOf(mode),
    isOpenToAll: (mode & 0o005) !== 0,
    isWrittenByAll: (mode & 0o002) !== 0,
    blobPath(digest) {
      // CVE-2024-3727: what is not a digest never becomes a path.
      const { algorithm, hex } = parseDigest(digest);
      return join(path, "blobs", algorithm, hex);
    },
    partialPrefix(digest) {
      const { algorithm, hex } = parseDigest(digest);
      return join(path, "partial", `${algorithm}-${hex}`);
    },
    partial: join(path, "partial"),
    results: join(path, "results"),
    running: join(path, "running"),
    uses: join(path, "uses"),
  };
}

async function makeFolder(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (cause) {
    ignoreThere(cause);
    // A link that another user put there would have us write, and prune, in a folder of our own that is no cache.
    if (!(await lstat(path)).isDirectory())
      throw new AppError(
        "PERMISSION_DENIED",
        `${path} is a link or a file, not a folder of the image cache`,
        {
          hint: "remove it, or choose another cache folder",
        },
      );
    return;
  }
  // The umask took something away.
  await chmod(path, mode);
}

function fileModeOf(folderMode: number): number {
  return 0o600 | (folderMode & 0o044);
}

function ignoreThere(cause: unknown): void {
  if (systemErrorCode(cause) !== "EEXIST") throw cause;
}

/** Did we (or the system's administrator) write this file; what anybody else wrote is checked before it is used. */
export function isOwnFile(uid: number): boolean {
  return uid === currentUserId() || uid === 0;
}
