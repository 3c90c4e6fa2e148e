import { lstat, realpath, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname } from "node:path";
import { AppError } from "#core";
import { systemErrorCode, toStorageError } from "./storage-error.ts";

/** Number of the user that this process acts as (the effective one: what the system checks files against). */
export function currentUserId(): number {
  return process.geteuid?.() ?? 0;
}

/** Owner of a file or folder (of the link's target, where it is a link); undefined when there is none. */
export async function fileOwner(path: string): Promise<number | undefined> {
  return (await factsOf(path))?.uid;
}

/** Permission bits of a file or folder; undefined when there is none. */
export async function fileMode(path: string): Promise<number | undefined> {
  const facts = await factsOf(path);
  return facts === undefined ? undefined : facts.mode & 0o777;
}

/** Is anything there by that name, a dangling link included. */
export async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (cause) {
    if (isMissing(cause)) return false;
    throw toStorageError(cause, `looking at ${path}`);
  }
}

/** The path with every link followed; the path itself where nothing is there yet. */
export async function realPath(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (cause) {
    if (isMissing(cause)) return path;
    throw toStorageError(cause, `looking at ${path}`);
  }
}

/** The user's home: HOME, else what the system's user database says. Throws INVALID_INPUT where neither knows one. */
export function homeFolder(env: Readonly<Record<string, string | undefined>>): string {
  const home = env["HOME"];
  const found = home === undefined || home === "" ? homedir() : home;
  if (found === "" || dirname(found) === ".")
    throw new AppError("INVALID_INPUT", "the user has no home folder", {
      hint: "set HOME to an absolute path",
    });
  return found;
}

async function factsOf(path: string): Promise<{ uid: number; mode: number } | undefined> {
  try {
    return await stat(path);
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw toStorageError(cause, `looking at ${path}`);
  }
}

function isMissing(cause: unknown): boolean {
  const code = systemErrorCode(cause);
  return code === "ENOENT" || code === "ENOTDIR";
}
