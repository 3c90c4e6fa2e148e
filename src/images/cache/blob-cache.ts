import { createHash } from "node:crypto";
import { unlink, utimes } from "node:fs/promises";
import { basename, join } from "node:path";
import { AppError, type Context, isAppError } from "#core";
import { parseDigest } from "#oci";
import { currentUserId, fileOwner } from "#system";
import type { ByteSource } from "../contract.ts";
import { ArrivingBlob } from "./arriving-blob.ts";
import { type CacheFolder, isOwnFile } from "./cache-folder.ts";
import { type ClaimTimes, claimTimes, takeClaim } from "./claim.ts";
import type { BlobAddress, BlobOrigin } from "./contract.ts";
import { DownloadPool } from "./download-pool.ts";
import { openSourceFile, type SourceFile } from "./file-source.ts";
import { findLeftPartial } from "./left-partials.ts";
import { DATA, newBase, openPartialBlob, takePartialBlob } from "./partial-blob.ts";
import { createVerifiedSource } from "./verified-source.ts";

export interface BlobCacheOptions {
  /** Connections of all blobs together. */
  readonly connections?: number;
  readonly stretchBytes?: number;
  readonly times?: ClaimTimes;
  /** Told of bytes that came over the network, and of those that were there already. */
  readonly onBytes?: (bytes: number, from: "network" | "cache") => void;
}

/** The blobs of a cache folder as one pull sees them. */
export interface BlobCache {
  /**
   * A blob, from the folder or from the first origin that has it. Nothing happens before the first read (or `settle`); then what has arrived
   * can be read while the rest is on its way, and its last byte once its digest is proved. Asked twice, it is fetched once.
   */
  blob(address: BlobAddress, origins: readonly BlobOrigin[]): ByteSource;
  /** Begins what was asked for and not yet read, in this order. */
  start(digests: readonly string[]): void;
  /** Waits until every blob that was begun is whole, proved and in the folder. Throws what the first of them threw. */
  settle(): Promise<void>;
  /** After something was not as it should be: removes those blobs of the folder that are damaged; how many. */
  removeDamaged(): Promise<number>;
  /** Stops what is on its way and closes everything. What has arrived stays for the next. */
  close(): Promise<void>;
}

interface Entry {
  readonly source: ByteSource;
  readonly begin: () => Promise<Opened>;
}

interface Opened {
  read(offset: number, length: number, context: Context): Promise<Uint8Array>;
  /** Of a blob that lay in the folder before: reads it whole, and removes it where it is not what its name says. */
  removeIfDamaged?(): Promise<boolean>;
  /** In the folder under its name. */
  readonly settled: Promise<void>;
  close(): Promise<void>;
}

const CONNECTIONS = 8;
const STRETCH_BYTES = 16 * 1024 * 1024;

export function openBlobCache(
  context: Context,
  folder: CacheFolder,
  options: BlobCacheOptions = {},
): BlobCache {
  const pool = new DownloadPool(options.connections ?? CONNECTIONS);
  const stop = new AbortController();
  const inner = { ...context, signal: AbortSignal.any([context.signal, stop.signal]) };
  const entries = new Map<string, Entry>();
  const begun: Promise<Opened>[] = [];
  const make = (address: BlobAddress, origins: readonly BlobOrigin[]): Entry => {
    let opened: Promise<Opened> | undefined;
    const begin = (): Promise<Opened> => {
      if (opened === undefined) {
        opened = openBlob(inner, { folder, pool, options, address, origins });
        opened.catch(() => undefined);
        begun.push(opened);
      }
      return opened;
    };
    const read: ByteSource["read"] = async (offset, length, readContext) =>
      (await begin()).read(offset, length, readContext);
    return { begin, source: { sizeBytes: address.sizeBytes, read } };
  };
  return {
    blob(address, origins) {
      const known = entries.get(address.digest);
      if (known !== undefined && known.source.sizeBytes === address.sizeBytes) return known.source;
      const entry = make(address, origins);
      entries.set(address.digest, entry);
      return entry.source;
    },
    start(digests) {
      for (const digest of digests) void entries.get(digest)?.begin();
    },
    async settle() {
      for (const opened of begun) await (await opened).settled;
    },
    async removeDamaged() {
      let removed = 0;
      for (const opened of begun)
        if (await (await opened.catch(() => undefined))?.removeIfDamaged?.()) removed++;
      return removed;
    },
    async close() {
      stop.abort();
      for (const opened of begun) {
        // What it failed with was told to its readers.
        const blob = await opened.catch(() => undefined);
        await blob?.close();
      }
    },
  };
}

interface Wanted {
  readonly folder: CacheFolder;
  readonly pool: DownloadPool;
  readonly options: BlobCacheOptions;
  readonly address: BlobAddress;
  readonly origins: readonly BlobOrigin[];
}

async function openBlob(context: Context, wanted: Wanted): Promise<Opened> {
  const { folder, address, options } = wanted;
  let present = await openPresent(context, folder, address);
  if (present === undefined) {
    const base = newBase(folder.partialPrefix(address.digest));
    const claim = await takeClaim(
      context,
      {
        path: `${folder.partialPrefix(address.digest)}.claim`,
        name: basename(base),
        times: options.times ?? claimTimes,
      },
      async () => {
        present = await openPresent(context, folder, address);
        return present !== undefined;
      },
    );
    if (claim !== undefined) {
      try {
        return await fetchBlob(context, wanted, base, claim);
      } catch (cause) {
        await claim.release();
        throw cause;
      }
    }
  }
  if (present === undefined) throw new AppError("INTERNAL", "a blob was neither there nor fetched");
  options.onBytes?.(address.sizeBytes, "cache");
  return openedFile(folder, present, address);
}

async function fetchBlob(
  context: Context,
  wanted: Wanted,
  base: string,
  claim: NonNullable<Awaited<ReturnType<typeof takeClaim>>>,
): Promise<Opened> {
  const { folder, address, options, pool, origins } = wanted;
  await inherit(folder, address, base, claim.inherited);
  const partial = await openPartialBlob(base, address.sizeBytes, 0o600 | folder.fileMode);
  const onBytes = options.onBytes ?? ((): void => undefined);
  onBytes(partial.arrived.sizeBytes, "cache");
  const arriving = new ArrivingBlob(context, {
    blob: address,
    partial,
    origins,
    pool,
    stretchBytes: options.stretchBytes ?? STRETCH_BYTES,
    onArrived: (bytes) => onBytes(bytes, "network"),
  });
  const settled = (async () => {
    try {
      await arriving.verified;
      await partial.publish(folder.blobPath(address.digest), folder.fileMode);
    } catch (cause) {
      // Wrong bytes are of no use to anybody; bytes that only stopped coming are.
      if (isAppError(cause, "DIGEST_INVALID")) await partial.discard();
      throw cause;
    } finally {
      await claim.release();
    }
  })();
  settled.catch(() => undefined);
  return {
    read: (offset, length) => arriving.read(offset, length),
    settled,
    async close() {
      arriving.stop();
      await settled.catch(() => undefined);
      await partial.close();
    },
  };
}

/** Goes on with what a process left that was killed, or that gave up. */
async function inherit(
  folder: CacheFolder,
  address: BlobAddress,
  base: string,
  left: { readonly name: string; readonly isOwnerGone: boolean } | undefined,
): Promise<void> {
  const about = { sizeBytes: address.sizeBytes, mode: 0o600 | folder.fileMode };
  if (left !== undefined && basename(left.name).startsWith(basename(folder.partialPrefix(address.digest)))) {
    const from = join(folder.partial, left.name);
    const isOurs = (await fileOwner(`${from}${DATA}`)) === currentUserId();
    if (isOurs && (await takePartialBlob(from, base, { ...about, isOwnerGone: left.isOwnerGone }))) return;
  }
  // Nobody holds the claim, so nobody writes to it.
  const name = await findLeftPartial(folder, address.digest);
  if (name !== undefined)
    await takePartialBlob(join(folder.partial, name), base, { ...about, isOwnerGone: true });
}

/** A blob that lies in the folder and is what its name says: by its size, and where another user wrote it by its digest. */
async function openPresent(
  context: Context,
  folder: CacheFolder,
  address: BlobAddress,
): Promise<SourceFile | undefined> {
  const path = folder.blobPath(address.digest);
  // A symlink there would lend another's bytes the trust that its owner's files have.
  const file = await openSourceFile(path, "refused");
  if (file === undefined) return undefined;
  const isRight =
    file.sizeBytes === address.sizeBytes && (isOwnFile(file.uid) || (await hasDigest(file, address.digest)));
  if (!isRight) {
    context.log.warn("a damaged blob of the image cache is fetched anew", { path });
    await file.close();
    await unlink(path).catch(() => undefined);
    return undefined;
  }
  // When it was used last, for pruning; another user's file keeps its time.
  const now = new Date();
  await utimes(path, now, now).catch(() => undefined);
  return file;
}

const HASH_BYTES = 1024 * 1024;

/** Reads the whole file. */
export async function hasDigest(file: SourceFile, digest: string): Promise<boolean> {
  const { algorithm, hex } = parseDigest(digest);
  const hash = createHash(algorithm);
  for (let at = 0; at < file.sizeBytes; at += HASH_BYTES) hash.update(await file.read(at, HASH_BYTES));
  return hash.digest("hex") === hex;
}

/** Held against its digest as it is read: what lay there for long may have changed, and whoever copies it would hand that on. */
function openedFile(folder: CacheFolder, file: SourceFile, address: BlobAddress): Opened {
  const source = createVerifiedSource(file.source(), address);
  return {
    read: (offset, length, context) => source.read(offset, length, context),
    settled: Promise.resolve(),
    async removeIfDamaged() {
      if (await hasDigest(file, address.digest)) return false;
      await unlink(folder.blobPath(address.digest)).catch(() => undefined);
      return true;
    },
    close: () => file.close(),
  };
}
