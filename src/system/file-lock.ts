import { randomBytes } from "node:crypto";
import { open, readFile, rename, unlink } from "node:fs/promises";
import { hostname } from "node:os";
import { AppError, type Context } from "#core";
import { systemErrorCode, toStorageError } from "./storage-error.ts";

const RETRY_MS = 20;
const WAIT_MS = 10_000;

/**
 * Runs `work` while nobody else on this machine (or on others, over a shared file system) holds the same lock file. The file names its
 * holder; one whose process is gone is taken over. Throws BUSY after 10 seconds of waiting, INTERRUPTED when the context ends.
 */
export async function withFileLock<T>(context: Context, path: string, work: () => Promise<T>): Promise<T> {
  const mine = `${process.pid} ${hostname()} ${randomBytes(8).toString("hex")}\n`;
  await take(context, path, mine);
  try {
    return await work();
  } finally {
    if ((await holderOf(path)) === mine) await unlink(path).catch(() => undefined);
  }
}

async function take(context: Context, path: string, mine: string): Promise<void> {
  const until = performance.now() + WAIT_MS;
  for (;;) {
    if (context.signal.aborted) throw new AppError("INTERRUPTED", "stopped while waiting for a lock");
    try {
      const file = await open(path, "wx", 0o600);
      await file.writeFile(mine);
      await file.close();
      return;
    } catch (cause) {
      if (systemErrorCode(cause) !== "EEXIST") throw toStorageError(cause, `locking ${path}`);
    }
    const holder = await holderOf(path);
    if (holder !== undefined && isGone(holder)) {
      await takeAway(path, holder);
      continue;
    }
    if (performance.now() > until)
      throw new AppError("BUSY", `another wharf is writing (${path})`, {
        hint: `wait for it; if none runs (${holder?.trim() ?? "holder unknown"}), remove that file`,
      });
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

async function holderOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    if (systemErrorCode(cause) === "ENOENT") return undefined;
    throw toStorageError(cause, `reading ${path}`);
  }
}

/** Only a process of this machine can be asked whether it lives. */
function isGone(holder: string): boolean {
  const [pid, host] = holder.trim().split(" ");
  if (host !== hostname() || pid === undefined || !/^\d+$/.test(pid)) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (cause) {
    return systemErrorCode(cause) === "ESRCH";
  }
}

/** Two may see the same dead holder: each moves the file away under a name of its own, and puts back a lock that was taken meanwhile. */
async function takeAway(path: string, holder: string): Promise<void> {
  const aside = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    await rename(path, aside);
  } catch (cause) {
    if (systemErrorCode(cause) === "ENOENT") return;
    throw toStorageError(cause, `locking ${path}`);
  }
  if ((await holderOf(aside)) === holder) await unlink(aside).catch(() => undefined);
  else await rename(aside, path);
}
