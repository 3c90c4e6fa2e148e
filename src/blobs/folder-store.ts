import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  fstatSync,
  fsync,
  ftruncateSync,
  openSync,
  renameSync,
  statSync,
  write,
  writeSync,
} from "node:fs";
import { mkdir, opendir, readFile, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { AppError } from "#core";
import { ensurePrivateFolder, syncFolder, systemErrorCode, toStorageError } from "#system";
import type {
  AppendOptions,
  BlobStore,
  DigestAlgorithm,
  InlineBytes,
  PositionalUpload,
  StoredObject,
  UploadStatus,
} from "./contract.ts";
import { type HashedFile, HashPool } from "./hash-pool.ts";
import { type Libc, openLibc } from "./libc.ts";
import { createPositionalUpload } from "./positional-upload.ts";

const UPLOAD_ID = /^[A-Za-z0-9_-]{1,128}$/;
const OBJECT_NAME = /^(?:sha256|sha512)-[0-9a-f]{64,128}-[0-9a-f]{16}$/;
const DIGEST = /^(sha256|sha512):([0-9a-f]{64}|[0-9a-f]{128})$/;
/** Uploads up to this size are hashed by the thread that serves: it takes less than the way to another and back. */
const HERE_BYTES = 256 * 1024;
const FOLLOW_AFTER_MS = 3;
/** So often a body that did not say its length is looked at: it can be that much too long, and no more. */
const LOOK_AFTER_MS = 50;
const syncFile = promisify(fsync);
const writeFile = promisify(write);

export interface FolderStoreOptions {
  /** Made with mode 0700 where it is not there. Holds `uploads/<id>` and `blobs/<2 hex>/<object name>`. */
  readonly dir: string;
  /** Threads that hash, at most; one for each core but one when not said, four at most. */
  readonly maxHashThreads?: number;
}

/** Opens the blob store of a folder. Looks at nothing that is in it, however much there is. */
export async function openFolderStore(options: FolderStoreOptions): Promise<BlobStore> {
  const isNew = statSync(join(options.dir, "blobs"), { throwIfNoEntry: false }) === undefined;
  await ensurePrivateFolder(options.dir);
  await ensurePrivateFolder(join(options.dir, "uploads"));
  await ensurePrivateFolder(join(options.dir, "blobs"));
  if (isNew) await syncFolder(options.dir);
  const cores = navigator.hardwareConcurrency;
  return new FolderStore(options.dir, options.maxHashThreads ?? Math.max(1, Math.min(4, cores - 1)));
}

interface HeldUpload {
  readonly fd: number;
  readonly sizeBytes: number;
}

class FolderStore implements BlobStore {
  readonly minChunkBytes = 0;
  readonly #dir: string;
  readonly #pool: HashPool;
  readonly #busy = new Set<string>();
  /** Opened with the first upload: dlopen costs a start that nobody may need. */
  #libc: Libc | undefined;

  constructor(dir: string, maxHashThreads: number) {
    this.#dir = dir;
    this.#pool = new HashPool(maxHashThreads);
  }

  async append(uploadId: string, body: Request, options: AppendOptions): Promise<UploadStatus> {
    const path = this.#uploadPath(uploadId);
    // Not O_APPEND: before Bun.write (1.4.5) writes a body that has arrived whole, it makes the file that long, and would write behind that.
    const held = this.#hold(uploadId, constants.O_WRONLY | constants.O_CREAT);
    this.#libc?.seekEnd(held.fd);
    let unfinished: Promise<void> | undefined;
    try {
      if (options.startBytes !== undefined && options.startBytes !== held.sizeBytes)
        throw new AppError("RANGE_INVALID", `the upload holds ${held.sizeBytes} bytes`, {
          details: { receivedBytes: held.sizeBytes },
        });
      const stopFollowing = this.#followSoon({
        id: uploadId,
        path,
        algorithm: options.algorithm ?? "sha256",
      });
      const writing = writeBody(held, body).finally(stopFollowing);
      if (await outgrows(held, writing, options.maxBytes)) unfinished = writing;
      const receivedBytes = fstatSync(held.fd).size;
      if (receivedBytes <= options.maxBytes) return { receivedBytes };
      await this.#drop(uploadId, path);
      throw new AppError("TOO_LARGE", `the blob is larger than ${options.maxBytes} bytes`);
    } catch (cause) {
      const error = uploadError(cause);
      // What filled the disk must not keep it full until it expires: others want to go on.
      if (error.code === "STORAGE_FULL") await this.#drop(uploadId, path);
      throw error;
    } finally {
      this.#pool.pause(uploadId, fstatSync(held.fd).size);
      const release = (): void => this.#release(uploadId, held);
      // The answer closes the connection, which ends the writing: until then its descriptor must not become another file's.
      if (unfinished === undefined) release();
      else void unfinished.then(release, release);
    }
  }

  status(uploadId: string): Promise<UploadStatus | undefined> {
    // One call of some microseconds, on the way of every small push: waiting for a thread would cost ten times that.
    const found = statSync(this.#uploadPath(uploadId), { throwIfNoEntry: false });
    return Promise.resolve(found === undefined ? undefined : { receivedBytes: found.size });
  }

  async finish(
    uploadId: string,
    digest: string,
    options: { readonly inlineBytes: number },
  ): Promise<StoredObject | InlineBytes> {
    const { algorithm, hex } = splitDigest(digest);
    const path = this.#uploadPath(uploadId);
    const held = this.#hold(uploadId, constants.O_RDWR);
    try {
      if (held.sizeBytes <= options.inlineBytes) return await this.#finishInline(path, digest);
      const hashed =
        held.sizeBytes <= HERE_BYTES
          ? readFile(path).then((bytes) => new Bun.CryptoHasher(algorithm).update(bytes).digest("hex"))
          : this.#pool.digest({ id: uploadId, path, algorithm }, held.sizeBytes);
      // The disk writes while the last bytes are hashed.
      const [found] = await Promise.all([hashed, syncFile(held.fd)]);
      if (found !== hex) throw wrongDigest(digest, `${algorithm}:${found}`);
      if (fstatSync(held.fd).size !== held.sizeBytes)
        throw new AppError("UPLOAD_INVALID", "the upload grew while it was being finished");
      return await this.#place(path, digest, held.sizeBytes);
    } catch (cause) {
      if (cause instanceof AppError && cause.code === "DIGEST_INVALID") await unlink(path);
      throw uploadError(cause);
    } finally {
      this.#pool.drop(uploadId);
      this.#release(uploadId, held);
    }
  }

  async create(uploadId: string): Promise<PositionalUpload> {
    const path = this.#uploadPath(uploadId);
    const held = this.#hold(uploadId, constants.O_RDWR | constants.O_CREAT);
    ftruncateSync(held.fd, 0);
    return createPositionalUpload({
      fd: held.fd,
      digest: (sizeBytes) => this.#pool.digest({ id: uploadId, path, algorithm: "sha256" }, sizeBytes),
      place: (digest, sizeBytes) => this.#place(path, digest, sizeBytes),
      drop: () => this.#drop(uploadId, path),
      release: () => {
        this.#pool.drop(uploadId);
        this.#release(uploadId, held);
      },
    });
  }

  async keep(bytes: Uint8Array, digest: string): Promise<StoredObject> {
    const path = join(this.#dir, "uploads", `keep-${randomBytes(12).toString("hex")}`);
    try {
      const fd = openSync(path, "wx", 0o600);
      try {
        // At most some pages, and only into memory: less than the way to a thread and back. What waits for the disk is not done here.
        for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
        await syncFile(fd);
      } finally {
        closeSync(fd);
      }
      return await this.#place(path, digest, bytes.length);
    } catch (cause) {
      // What matters is the first error; a left-over goes with the expired uploads.
      await unlink(path).catch(() => undefined);
      throw toStorageError(cause, "writing a blob");
    }
  }

  async cancel(uploadId: string): Promise<void> {
    const path = this.#uploadPath(uploadId);
    const held = this.#tryHold(uploadId, constants.O_RDWR);
    if (held === undefined) return;
    try {
      await unlink(path);
    } catch (cause) {
      throw toStorageError(cause, "dropping an upload");
    } finally {
      this.#pool.drop(uploadId);
      this.#release(uploadId, held);
    }
  }

  open(object: { readonly name: string }, start?: number, end?: number): Blob {
    return Bun.file(this.#objectPath(object.name)).slice(start, end, "application/octet-stream");
  }

  has(object: { readonly name: string }): boolean {
    return statSync(this.#objectPath(object.name), { throwIfNoEntry: false }) !== undefined;
  }

  async remove(name: string): Promise<void> {
    try {
      await unlink(this.#objectPath(name));
    } catch (cause) {
      if (systemErrorCode(cause) !== "ENOENT") throw toStorageError(cause, "removing a blob");
    }
  }

  async expireUploads(before: Date, most: number): Promise<number> {
    let gone = 0;
    try {
      for await (const entry of await opendir(join(this.#dir, "uploads"))) {
        if (gone >= most) break;
        const path = join(this.#dir, "uploads", entry.name);
        const found = statSync(path, { throwIfNoEntry: false });
        if (found === undefined || found.mtimeMs >= before.getTime() || this.#busy.has(entry.name)) continue;
        await this.cancel(entry.name);
        gone++;
      }
    } catch (cause) {
      throw toStorageError(cause, "dropping expired uploads");
    }
    return gone;
  }

  close(): Promise<void> {
    this.#pool.close();
    return Promise.resolve();
  }

  /** What is over in a moment is not worth a thread: most pushes have a small config, and many have nothing large. */
  #followSoon(file: HashedFile): () => void {
    const timer = setTimeout(() => this.#pool.follow(file), FOLLOW_AFTER_MS);
    return () => clearTimeout(timer);
  }

  async #drop(uploadId: string, path: string): Promise<void> {
    this.#pool.drop(uploadId);
    await unlink(path);
  }

  async #finishInline(path: string, digest: string): Promise<InlineBytes> {
    const bytes = new Uint8Array(await readFile(path));
    const { algorithm, hex } = splitDigest(digest);
    const found = new Bun.CryptoHasher(algorithm).update(bytes).digest("hex");
    if (found !== hex) throw wrongDigest(digest, `${algorithm}:${found}`);
    await unlink(path);
    return { kind: "inline", bytes };
  }

  /** Renames a synced file to its final name, and makes that durable too. */
  async #place(path: string, digest: string, sizeBytes: number): Promise<StoredObject> {
    const name = `${digest.replace(":", "-")}-${randomBytes(8).toString("hex")}`;
    const target = this.#objectPath(name);
    try {
      renameSync(path, target);
    } catch (cause) {
      if (systemErrorCode(cause) !== "ENOENT") throw cause;
      await mkdir(dirname(target), { recursive: true, mode: 0o700 });
      await syncFolder(join(this.#dir, "blobs"));
      renameSync(path, target);
    }
    const folder = openSync(dirname(target), constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await syncFile(folder);
    } finally {
      closeSync(folder);
    }
    return { kind: "object", name, sizeBytes };
  }

  #hold(uploadId: string, flags: number): HeldUpload {
    const held = this.#tryHold(uploadId, flags);
    if (held === undefined)
      throw new AppError("UPLOAD_UNKNOWN", "no such upload: it ended, expired or was never started");
    return held;
  }

  /**
   * Opens an upload for this request alone, in all processes. undefined when it is not there. Between open and lock another process may
   * have made a blob of the file: then the name is gone, and writing on would change the blob.
   */
  #tryHold(uploadId: string, flags: number): HeldUpload | undefined {
    const path = this.#uploadPath(uploadId);
    if (this.#busy.has(uploadId)) throw busyUpload();
    let fd: number;
    try {
      fd = openSync(path, flags | constants.O_NOFOLLOW, 0o600);
    } catch (cause) {
      if (systemErrorCode(cause) === "ENOENT") return undefined;
      throw toStorageError(cause, "opening an upload");
    }
    this.#libc ??= openLibc();
    const isMine = this.#libc.tryLock(fd);
    const opened = fstatSync(fd);
    const named = statSync(path, { throwIfNoEntry: false });
    if (!isMine || named === undefined || named.ino !== opened.ino) {
      closeSync(fd);
      if (!isMine) throw busyUpload();
      return undefined;
    }
    this.#busy.add(uploadId);
    return { fd, sizeBytes: opened.size };
  }

  #release(uploadId: string, held: HeldUpload): void {
    this.#busy.delete(uploadId);
    // Said, not left to the close: Bun.write may hold a duplicate of the descriptor for a moment longer.
    this.#libc?.unlock(held.fd);
    closeSync(held.fd);
  }

  #uploadPath(uploadId: string): string {
    if (!UPLOAD_ID.test(uploadId)) throw new AppError("UPLOAD_UNKNOWN", "no such upload");
    return join(this.#dir, "uploads", uploadId);
  }

  #objectPath(name: string): string {
    if (!OBJECT_NAME.test(name)) throw new AppError("STORAGE_FAILED", "not the name of an object");
    return `${this.#dir}/blobs/${name.slice(7, 9)}/${name}`;
  }
}

/**
 * Straight from the socket to the file, without a JavaScript stream between: half the CPU (platform, spikes). But Bun.write of
 * an empty body truncates the file, even one opened to append; so only where a body is announced, or there is nothing to lose.
 */
async function writeBody(held: HeldUpload, body: Request): Promise<void> {
  const announced = body.headers.get("content-length");
  if (announced !== null ? Number(announced) > 0 : held.sizeBytes === 0) {
    await Bun.write(Bun.file(held.fd), body);
    return;
  }
  if (announced !== null || body.body === null) return;
  for await (const chunk of body.body) await writeAll(held.fd, chunk);
}

/** False when all is written; true as soon as there is more than there may be, while it is still written. Rejects as `writing` does. */
async function outgrows(held: HeldUpload, writing: Promise<void>, maxBytes: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setInterval(() => {
    if (fstatSync(held.fd).size > maxBytes) resolve(true);
  }, LOOK_AFTER_MS);
  try {
    return await Promise.race([writing.then(() => false), promise]);
  } finally {
    clearInterval(timer);
  }
}

async function writeAll(fd: number, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await writeFile(fd, bytes, at);
    at += bytesWritten;
  }
}

function splitDigest(digest: string): { algorithm: DigestAlgorithm; hex: string } {
  const match = DIGEST.exec(digest);
  const [, algorithm, hex] = match ?? [];
  if (hex === undefined || hex.length !== (algorithm === "sha512" ? 128 : 64))
    throw new AppError("DIGEST_INVALID", `${JSON.stringify(digest.slice(0, 150))} is not a digest`);
  return { algorithm: algorithm === "sha512" ? "sha512" : "sha256", hex };
}

function wrongDigest(asked: string, found: string): AppError {
  return new AppError("DIGEST_INVALID", `the content has the digest ${found}, not ${asked}`, {
    hint: "upload the blob again",
  });
}

function busyUpload(): AppError {
  return new AppError("CONFLICT", "another request is working on this upload", {
    hint: "wait for it to end, ask for the upload's status, then go on from there",
  });
}

function uploadError(cause: unknown): AppError {
  const isAbort = cause instanceof Error && cause.name === "AbortError";
  if (isAbort)
    return new AppError("INTERRUPTED", "the sender went away before the end of the body", { cause });
  return toStorageError(cause, "writing an upload");
}
