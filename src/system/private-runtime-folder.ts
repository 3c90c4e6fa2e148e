import { lstat, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "#core";
import { systemErrorCode, toStorageError } from "./storage-error.ts";

/** A socket's path has room for 107 characters, and OpenSSH puts some 60 of its own behind it. */
const MAX_LENGTH = 45;

/**
 * A folder for sockets that only this user may enter (0700): in XDG_RUNTIME_DIR, else in /tmp with the user's number in its name. It
 * stays. Throws UNSAFE_PATH where something of somebody else's has its name.
 */
export async function privateRuntimeFolder(
  env: Readonly<Record<string, string | undefined>>,
  name: string,
): Promise<string> {
  const uid = process.geteuid?.() ?? 0;
  const runtime = env["XDG_RUNTIME_DIR"];
  const fallback = join("/tmp", `${name}-${uid}`);
  if (runtime?.startsWith("/") !== true || join(runtime, name).length > MAX_LENGTH)
    return await makePrivate(fallback, uid);
  try {
    return await makePrivate(join(runtime, name), uid);
  } catch (cause) {
    // Jobs inherit the variable of a node where they do not run.
    if (systemErrorCode(cause) === "ENOENT") return await makePrivate(fallback, uid);
    throw toStorageError(cause, `making the folder ${join(runtime, name)}`);
  }
}

async function makePrivate(path: string, uid: number): Promise<string> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (cause) {
    if (systemErrorCode(cause) !== "EEXIST") throw cause;
  }
  const found = await lstat(path);
  if (!found.isDirectory() || found.uid !== uid || (found.mode & 0o077) !== 0)
    throw new AppError("UNSAFE_PATH", `${path} is not a folder of this user's alone`, {
      hint: `remove it, or make it so: chmod 700 ${path}`,
    });
  return path;
}
