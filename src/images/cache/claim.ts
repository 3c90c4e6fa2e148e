import { randomBytes } from "node:crypto";
import { link, open, readFile, rename, stat, unlink, utimes } from "node:fs/promises";
import { basename } from "node:path";
import { AppError, type Context } from "#core";
import {
  isProcessGone,
  type ProcessIdentity,
  readProcessIdentity,
  systemErrorCode,
  toStorageError,
} from "#system";
import { writeShared } from "./write-shared.ts";

/**
 * Who is at work on something of the cache: a file that names its process. Claims spare work and decide nothing else: what two processes do
 * at once is right all the same, because each writes files of its own and only names them when they are whole. Works over NFS: a claim is
 * made by O_EXCL, taken over by `rename`, and kept alive by its time.
 */
export interface Claim {
  /** What the last holder left, where it ended without letting go: the name it wrote under, and whether it has surely ended. */
  readonly inherited: { readonly name: string; readonly isOwnerGone: boolean } | undefined;
  release(): Promise<void>;
}

export interface ClaimTimes {
  /** A holder of whom nothing can be known but the time of its claim is given up when that stands still for so long. */
  readonly staleMs: number;
  readonly beatMs: number;
  readonly pollMs: number;
}

export const claimTimes: ClaimTimes = { staleMs: 60_000, beatMs: 10_000, pollMs: 100 };

interface Held {
  readonly holder: ProcessIdentity;
  readonly name: string;
}

const MAX_CLAIM_BYTES = 4096;

/**
 * Takes the claim at `path` for work under `name`, as soon as nobody holds it; undefined as soon as `isDone` says that there is nothing left to
 * do. Throws INTERRUPTED.
 */
export async function takeClaim(
  context: Context,
  about: { readonly path: string; readonly name: string; readonly times: ClaimTimes },
  isDone: () => Promise<boolean>,
): Promise<Claim | undefined> {
  const { path, times } = about;
  const mine = JSON.stringify({ holder: await readProcessIdentity(), name: about.name } satisfies Held);
  let inherited: Claim["inherited"];
  let seen: { readonly text: string; readonly timeMs: number; readonly sinceMs: number } | undefined;
  for (let isSaid = false; ; isSaid = true) {
    if (context.signal.aborted) throw new AppError("INTERRUPTED", "stopped while waiting for another pull");
    if (await isDone()) return undefined;
    if (await make(path, mine)) return claimOf(path, mine, inherited, times);
    const found = await look(path);
    if (found === undefined) continue;
    const isSame = seen !== undefined && seen.text === found.text && seen.timeMs === found.timeMs;
    if (!isSame || seen === undefined) seen = { ...found, sinceMs: performance.now() };
    const held = parseHeld(found.text);
    const isGone = held === undefined ? undefined : await isProcessGone(held.holder);
    const isStale = isGone === undefined && performance.now() - seen.sinceMs > times.staleMs;
    if (isGone === true || isStale) {
      const taken = await takeAway(path, found.text);
      // Another user's, in a folder with the sticky bit: whoever cannot take it over works without one.
      if (taken === undefined) return { inherited: undefined, release: async () => undefined };
      if (taken)
        inherited = held === undefined ? undefined : { name: held.name, isOwnerGone: isGone === true };
      continue;
    }
    if (!isSaid) context.log.debug("another pull is at it", { claim: basename(path) });
    await new Promise((resolve) => setTimeout(resolve, times.pollMs));
  }
}

function claimOf(path: string, mine: string, inherited: Claim["inherited"], times: ClaimTimes): Claim {
  const timer = setInterval(() => {
    const now = new Date();
    // Taken over, or the file system is gone: whoever writes will notice.
    utimes(path, now, now).catch(() => undefined);
  }, times.beatMs);
  timer.unref();
  return {
    inherited,
    async release() {
      clearInterval(timer);
      if ((await look(path))?.text === mine) await unlink(path).catch(() => undefined);
    },
  };
}

/** True when it is ours. Whoever reads it before its text is in it waits for the text, or for its time to stand still. */
async function make(path: string, text: string): Promise<boolean> {
  try {
    await writeShared(path, text, 0o644);
    return true;
  } catch (cause) {
    if (systemErrorCode(cause) === "EEXIST") return false;
    throw toStorageError(cause, `writing ${path}`);
  }
}

/** Text and time of a claim; undefined where there is none. Opened anew each time: only that asks an NFS server. */
async function look(path: string): Promise<{ readonly text: string; readonly timeMs: number } | undefined> {
  try {
    const file = await open(path);
    try {
      const { mtimeMs, size } = await file.stat();
      const bytes = Buffer.alloc(Math.min(size, MAX_CLAIM_BYTES));
      const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
      return { text: bytes.toString("utf8", 0, bytesRead), timeMs: mtimeMs };
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (systemErrorCode(cause) === "ENOENT" || systemErrorCode(cause) === "ESTALE") return undefined;
    // Another user's, who has not yet come to let others read it.
    if (systemErrorCode(cause) === "EACCES") return lookFromOutside(path);
    throw toStorageError(cause, `reading ${path}`);
  }
}

/** What can be known of a claim that may not be read: that it is there, and since when. */
async function lookFromOutside(
  path: string,
): Promise<{ readonly text: string; readonly timeMs: number } | undefined> {
  try {
    return { text: "", timeMs: (await stat(path)).mtimeMs };
  } catch (cause) {
    if (systemErrorCode(cause) === "ENOENT") return undefined;
    throw toStorageError(cause, `reading ${path}`);
  }
}

/**
 * Two may see the same dead holder: each moves the claim away under a name of its own, and puts back one that was made meanwhile. undefined where
 * this user may not.
 */
async function takeAway(path: string, text: string): Promise<boolean | undefined> {
  const aside = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    await rename(path, aside);
    const isIt = (await readFile(aside, "utf8")) === text;
    if (!isIt) await link(aside, path).catch(() => undefined);
    await unlink(aside);
    return isIt;
  } catch (cause) {
    if (systemErrorCode(cause) === "ENOENT") return false;
    if (["EPERM", "EACCES"].includes(systemErrorCode(cause) ?? "")) return undefined;
    throw toStorageError(cause, `taking over ${path}`);
  }
}

/** Of a claim that holds something else: undefined, and only its time tells. */
function parseHeld(text: string): Held | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { holder, name } = (value ?? {}) as Partial<Held>;
  if (typeof name !== "string" || !/^[\w.-]{1,200}$/.test(name)) return undefined;
  const { machine, pid, started }: Partial<ProcessIdentity> = holder ?? {};
  if (typeof machine !== "string" || typeof started !== "string") return undefined;
  if (typeof pid !== "number" || !Number.isSafeInteger(pid) || pid <= 0) return undefined;
  return { holder: { machine, pid, started }, name };
}

/** Is somebody at work under this claim, as far as can be known: a process that cannot be asked is one while it keeps its claim's time. */
export async function isClaimHeld(path: string, nowMs: number): Promise<boolean> {
  const found = await look(path);
  if (found === undefined) return false;
  const held = parseHeld(found.text);
  const isGone = held === undefined ? undefined : await isProcessGone(held.holder);
  return isGone === undefined ? nowMs - found.timeMs < SILENT_MS : !isGone;
}

/** Clocks of machines differ by less. */
const SILENT_MS = 10 * 60_000;
