import { createHash, randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { chmod, copyFile, link, rename, stat, symlink, unlink, utimes } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type Context, version } from "#core";
import { currentUserId, fileOwner, readTextLimited, systemErrorCode, toStorageError } from "#system";
import { type CacheFolder, isOwnFile } from "./cache-folder.ts";
import { openSourceFile, type SourceFile } from "./file-source.ts";
import { writeShared } from "./write-shared.ts";

/** What a result was made from: the same again gives the same bytes. */
export interface ResultKey {
  /** What the image's name pointed to, an index or a manifest. */
  readonly digest: string;
  /** As it was asked for, or as it is chosen where nobody asks. */
  readonly platform: string;
  readonly format: string;
  readonly settings: Readonly<Record<string, unknown>>;
  /** Some formats write it into the file. */
  readonly name: string;
}

/** What is remembered of a result beside its bytes. */
export interface ResultFacts {
  readonly manifestDigest: string;
  readonly platform: string;
}

export interface KeptResult extends ResultFacts {
  readonly sizeBytes: number;
}

interface ResultRecord extends KeptResult {
  readonly key: ResultKey;
  readonly version: string;
  /** Of the data file, when it was kept. */
  readonly mtimeMs: number;
  readonly mark: string;
}

/** How a kept result came to where it is wanted. */
export type Placed = "clone" | "link" | "copy";

const MAX_RECORD_BYTES = 64 * 1024;
const MARK_BYTES = 64 * 1024;

/**
 * Keeps the file at `path` as the result of `key`, at no cost of room: as a clone of it or a link to it. Where its file system gives neither (another
 * disk than the cache's), nothing is kept.
 */
export async function keepResult(
  context: Context,
  folder: CacheFolder,
  key: ResultKey,
  result: ResultFacts & { readonly path: string },
): Promise<void> {
  const { data, record } = pathsOf(folder, key);
  const temporary = `${data}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    if (!(await cloneFile(result.path, temporary)) && !(await linkFile(result.path, temporary))) {
      context.log.debug("the result is not kept: the cache is on another file system", { path: result.path });
      return;
    }
    await rename(temporary, data);
    const file = await openSourceFile(data);
    if (file === undefined) return;
    try {
      const { manifestDigest, platform } = result;
      const text: ResultRecord = {
        key,
        version,
        manifestDigest,
        platform,
        sizeBytes: file.sizeBytes,
        mtimeMs: (await stat(data)).mtimeMs,
        mark: await markOf(file),
      };
      await writeShared(temporary, JSON.stringify(text), folder.fileMode);
      await rename(temporary, record);
    } finally {
      await file.close();
    }
  } catch (cause) {
    await unlink(temporary).catch(() => undefined);
    throw toStorageError(cause, `keeping a result in ${folder.results}`);
  }
}

/** A result that nobody has changed since; undefined where there is none. A changed one is forgotten. */
export async function findResult(
  context: Context,
  folder: CacheFolder,
  key: ResultKey,
): Promise<KeptResult | undefined> {
  const { data, record } = pathsOf(folder, key);
  const known = parseRecord(await readTextLimited(record, MAX_RECORD_BYTES));
  if (known === undefined) return undefined;
  const file = await openSourceFile(data, "refused");
  try {
    const isSame =
      file !== undefined &&
      file.sizeBytes === known.sizeBytes &&
      (await stat(data)).mtimeMs === known.mtimeMs &&
      (await markOf(file)) === known.mark;
    if (isSame && !(await isTrusted(folder, file.uid, record))) {
      context.log.info("a result of another user is not taken: everybody may write into the cache", {
        path: data,
      });
      return undefined;
    }
    if (isSame) return known;
    context.log.info("a kept result was changed since, and is made anew", { path: data });
    for (const path of [record, data]) await unlink(path).catch(() => undefined);
    return undefined;
  } finally {
    await file?.close();
  }
}

/**
 * Puts a result that `findResult` found at `path`, replacing what is there: a clone; else a link where `isShared`; else a copy. Gives which.
 */
export async function placeResult(
  folder: CacheFolder,
  key: ResultKey,
  target: { readonly path: string; readonly mode: number; readonly isShared: boolean },
): Promise<Placed> {
  const { data, record } = pathsOf(folder, key);
  const temporary = join(
    dirname(target.path),
    `.${basename(target.path)}.${randomBytes(6).toString("hex")}.tmp`,
  );
  try {
    const how = await bring(data, temporary, target.isShared);
    // A link has the mode already, and its time says that nobody has changed it.
    if (how !== "link") await chmod(temporary, target.mode);
    await rename(temporary, target.path);
    const now = new Date();
    await utimes(record, now, now).catch(() => undefined);
    return how;
  } catch (cause) {
    throw toStorageError(cause, `writing ${target.path}`);
  } finally {
    // rename does nothing where both names are one file already.
    await unlink(temporary).catch(() => undefined);
  }
}

/**
 * Gives a result that `findResult` found one more name, at `path`, for a program that only reads it: a link, which outlives the cache's own name, else
 * a symbolic one (another user's file, which the kernel lets nobody else link). No byte is copied.
 */
export async function nameResult(
  folder: CacheFolder,
  key: ResultKey,
  path: string,
): Promise<"link" | "symlink"> {
  const { data, record } = pathsOf(folder, key);
  try {
    const isLinked = await linkFile(data, path);
    if (!isLinked) await symlink(data, path);
    const now = new Date();
    await utimes(record, now, now).catch(() => undefined);
    return isLinked ? "link" : "symlink";
  } catch (cause) {
    throw toStorageError(cause, `writing ${path}`);
  }
}

/** Whose name on the claim: who makes the result. */
export function resultClaimPath(folder: CacheFolder, key: ResultKey): string {
  return `${pathsOf(folder, key).data}.claim`;
}

async function bring(from: string, to: string, isShared: boolean): Promise<Placed> {
  if (await cloneFile(from, to)) return "clone";
  if (isShared && (await linkFile(from, to))) return "link";
  await copyFile(from, to, constants.COPYFILE_EXCL);
  return "copy";
}

/** The settings and the digest decide; what is the key of one version is none of another, whose writers may differ. */
function pathsOf(folder: CacheFolder, key: ResultKey): { readonly data: string; readonly record: string } {
  const { digest, platform, format, settings, name } = key;
  // Where everybody writes, each has results of their own, and nobody can stand in the way of another's.
  const owner = folder.isWrittenByAll ? [currentUserId()] : [];
  const text = JSON.stringify([version, digest, platform, format, sorted(settings), name, ...owner]);
  const base = join(folder.results, createHash("sha256").update(text).digest("hex"));
  return { data: `${base}.data`, record: `${base}.json` };
}

function sorted(settings: Readonly<Record<string, unknown>>): readonly (readonly [string, unknown])[] {
  return Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1));
}

/**
 * What a result is made of cannot be seen from it, as a blob's bytes can from its digest: it is taken from oneself, from the system's
 * administrator, and where only chosen people write.
 */
async function isTrusted(folder: CacheFolder, dataOwner: number, record: string): Promise<boolean> {
  if (!folder.isWrittenByAll) return true;
  const recordOwner = await fileOwner(record);
  return isOwnFile(dataOwner) && recordOwner !== undefined && isOwnFile(recordOwner);
}

/** Both ends: a header that was changed, something that was put at the end. With size and time it tells every change that programs make. */
async function markOf(file: SourceFile): Promise<string> {
  const hash = createHash("sha256");
  hash.update(await file.read(0, Math.min(MARK_BYTES, file.sizeBytes)));
  const tail = Math.max(0, file.sizeBytes - MARK_BYTES);
  hash.update(await file.read(tail, file.sizeBytes - tail));
  return hash.digest("hex");
}

async function cloneFile(from: string, to: string): Promise<boolean> {
  try {
    await copyFile(from, to, constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL);
    return true;
  } catch (cause) {
    if (isCannot(cause)) {
      // What it made before it found out.
      await unlink(to).catch(() => undefined);
      return false;
    }
    throw cause;
  }
}

async function linkFile(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (cause) {
    if (isCannot(cause)) return false;
    throw cause;
  }
}

/** Another file system, one without this ability, or a file that is not ours to link. */
function isCannot(cause: unknown): boolean {
  return ["EXDEV", "ENOTSUP", "EOPNOTSUPP", "ENOTTY", "EINVAL", "ENOSYS", "EPERM", "EMLINK"].includes(
    systemErrorCode(cause) ?? "",
  );
}

function parseRecord(text: string | undefined): ResultRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
  const { sizeBytes, mtimeMs, mark, manifestDigest, platform, key } = (value ?? {}) as Partial<ResultRecord>;
  const isRecord =
    typeof sizeBytes === "number" &&
    typeof mtimeMs === "number" &&
    typeof mark === "string" &&
    typeof manifestDigest === "string" &&
    typeof platform === "string" &&
    typeof key?.name === "string" &&
    typeof key.format === "string";
  return isRecord ? (value as ResultRecord) : undefined;
}

/** Of a record's text, for a list; undefined for what is no record. */
export function describeResult(
  text: string | undefined,
): { readonly name: string; readonly format: string; readonly platform: string } | undefined {
  const record = parseRecord(text);
  if (record === undefined) return undefined;
  return { name: record.key.name, format: record.key.format, platform: record.platform };
}
