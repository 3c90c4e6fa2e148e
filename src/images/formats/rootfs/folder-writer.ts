import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  futimesSync,
  lchownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  openSync,
  symlinkSync,
  writeSync,
} from "node:fs";
import { AppError } from "#core";
import { createNodeCalls, currentUserId, type NodeCalls, systemErrorCode, toStorageError } from "#system";
import type { TreeNode } from "../../contract.ts";
import { shownName } from "../../layers/refuse.ts";
import type { LeftOut } from "./left-out.ts";

const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/**
 * Makes the nodes of a tree below one open folder that is nobody else's. Nothing that is there is opened, followed or changed: what is made has to
 * be new, and as long as no symlink was made no path can lead through one. So folders come first, then files, then `addOther`, then further names,
 * and folders get their modes at the very end (`finishFolder`). Throws STORAGE_FULL, PERMISSION_DENIED, STORAGE_FAILED, IMAGE_INVALID, TOO_LARGE.
 */
export class FolderWriter {
  readonly leftOut: LeftOut = { owners: 0, devices: 0, xattrs: 0, setIds: 0 };
  readonly #root: number;
  readonly #base: string;
  readonly #calls: NodeCalls | undefined = createNodeCalls();
  readonly #isRoot = currentUserId() === 0;
  #file: { readonly fd: number; readonly node: TreeNode; readonly path: string } | undefined;

  /** `folder` must be a folder of its own, which only its owner can enter. */
  constructor(folder: string) {
    this.#root = openSync(folder, FOLDER);
    // Through the open folder, wherever somebody moves its name meanwhile.
    this.#base = process.platform === "linux" ? `/proc/self/fd/${this.#root}` : folder;
  }

  close(): void {
    this.#closeFile();
    closeSync(this.#root);
  }

  addFolder(path: string): void {
    this.#do(path, () => mkdirSync(this.#at(path), { mode: 0o700 }));
  }

  beginFile(path: string, node: TreeNode): void {
    this.#do(path, () => {
      this.#file = { fd: openSync(this.#at(path), NEW_FILE, 0o600), node, path };
    });
  }

  write(piece: Uint8Array): void {
    const { fd, path } = this.#openFile();
    this.#do(path, () => {
      for (let at = 0; at < piece.length; ) at += writeSync(fd, piece, at);
    });
  }

  endFile(): void {
    const { fd, node, path } = this.#openFile();
    this.#do(path, () => this.#finishOpen(fd, node));
    this.#closeFile();
  }

  /** A symlink, pipe or device node. False for one that could not be made. */
  addOther(path: string, node: TreeNode): boolean {
    const target = this.#at(path);
    return this.#do(path, () => {
      if (node.type === "symlink") symlinkSync(bytesOf(node.linkTarget), target);
      else if (!this.#makeNode(target, node)) return false;
      this.#own(() => lchownSync(target, node.uid, node.gid));
      this.#setXattrs(node, (name, value) => this.#calls?.setXattrAt(target, name, value));
      if (node.type !== "symlink") chmodSync(target, this.#modeOf(node));
      lutimesSync(target, ...timesOf(node));
      return true;
    });
  }

  /** One more name of a file that was made. */
  addName(path: string, first: string): void {
    this.#do(path, () => linkSync(this.#at(first), this.#at(path)));
  }

  /** Owner, attributes, mode and time of a folder: what is in it comes before, its parents come after. "" is the folder itself. */
  finishFolder(path: string, node: TreeNode): void {
    this.#do(path, () => {
      const fd = openSync(path === "" ? `${this.#base}/.` : this.#at(path), FOLDER);
      try {
        this.#finishOpen(fd, node);
      } finally {
        closeSync(fd);
      }
    });
  }

  #finishOpen(fd: number, node: TreeNode): void {
    // A new owner takes setuid bits and capabilities away, so that it comes first.
    this.#own(() => fchownSync(fd, node.uid, node.gid));
    this.#setXattrs(node, (name, value) => this.#calls?.setXattr(fd, name, value));
    fchmodSync(fd, this.#modeOf(node));
    futimesSync(fd, ...timesOf(node));
  }

  #makeNode(target: Buffer, node: TreeNode): boolean {
    const { type, device = { major: 0, minor: 0 } } = node;
    if (type !== "fifo" && type !== "character" && type !== "block") return false;
    const errno =
      type !== "fifo" && !this.#isRoot ? EPERM : (this.#calls?.makeNode(target, type, device) ?? EPERM);
    if (errno === 0) return true;
    // A user who is root in a namespace alone may make none either.
    if (errno !== EPERM)
      throw new AppError("STORAGE_FAILED", `making a ${type} node failed with error ${errno}`);
    this.leftOut.devices++;
    return false;
  }

  #own(chown: () => void): void {
    if (!this.#isRoot) {
      this.leftOut.owners++;
      return;
    }
    try {
      chown();
    } catch (cause) {
      // Root in a namespace has not all owners.
      if (!["EPERM", "EINVAL"].includes(systemErrorCode(cause) ?? "")) throw cause;
      this.leftOut.owners++;
    }
  }

  #setXattrs(node: TreeNode, set: (name: string, value: Uint8Array) => number | undefined): void {
    let isWhole = true;
    for (const [name, value] of node.xattrs ?? []) {
      const errno = set(name, value) ?? EOPNOTSUPP;
      if (errno === ENOSPC) throw new AppError("STORAGE_FULL", "no room left for an extended attribute");
      if (errno !== 0) isWhole = false;
    }
    if (!isWhole) this.leftOut.xattrs++;
  }

  /** Without root a file of ours with the setuid bit would let everybody run an image's program as us. */
  #modeOf(node: TreeNode): number {
    if (this.#isRoot || (node.mode & 0o6000) === 0) return node.mode;
    this.leftOut.setIds++;
    return node.mode & ~0o6000;
  }

  #openFile(): { readonly fd: number; readonly node: TreeNode; readonly path: string } {
    if (this.#file === undefined) throw new AppError("INTERNAL", "no file was begun");
    return this.#file;
  }

  #closeFile(): void {
    const file = this.#file;
    this.#file = undefined;
    if (file !== undefined) closeSync(file.fd);
  }

  /** The path in the folder, as bytes. What no merged tree has is refused here once more. */
  #at(path: string): Buffer {
    for (const name of path.split("/"))
      if (name === "" || name === "." || name === ".." || name.includes("\0"))
        throw new AppError("IMAGE_INVALID", `${shownName(path)} is not a path of an image`);
    return Buffer.concat([Buffer.from(`${this.#base}/`), bytesOf(path)]);
  }

  #do<T>(path: string, action: () => T): T {
    try {
      return action();
    } catch (cause) {
      const code = systemErrorCode(cause);
      if (code === "ENAMETOOLONG")
        throw new AppError("TOO_LARGE", `the path ${shownName(path)} is too long for this machine`, {
          cause,
        });
      // A file system that knows no upper and lower case, or writes names anew, has one name where the image has two.
      if (code === "EEXIST")
        throw new AppError("IMAGE_INVALID", `${shownName(path)} is there twice on this file system`, {
          hint: "unpack on a file system that tells upper from lower case",
          cause,
        });
      throw toStorageError(cause, `writing ${shownName(path)}`);
    }
  }
}

const EPERM = 1;
const ENOSPC = 28;
const EOPNOTSUPP = 95;

function bytesOf(text: string): Buffer {
  return Buffer.from(text, "latin1");
}

/** As dates: Bun takes a negative number for now. */
function timesOf({ mtimeSeconds }: TreeNode): [Date, Date] {
  const time = new Date(Math.min(Math.max(mtimeSeconds, -MAX_SECONDS), MAX_SECONDS) * 1000);
  return [time, time];
}

const MAX_SECONDS = 8_640_000_000_000;
