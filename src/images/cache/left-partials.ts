import { lstat, readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { currentUserId, systemErrorCode, toStorageError } from "#system";
import type { CacheFolder } from "./cache-folder.ts";
import { ARRIVED, DATA } from "./partial-blob.ts";

/** The longest record of what has arrived of a blob, left by a process that gave up; its name without ending. undefined for none. */
export async function findLeftPartial(folder: CacheFolder, digest: string): Promise<string | undefined> {
  const prefix = `${basename(folder.partialPrefix(digest))}.`;
  try {
    let best: { readonly name: string; readonly size: number } | undefined;
    for (const file of await readdir(folder.partial)) {
      if (!file.startsWith(prefix) || !file.endsWith(ARRIVED)) continue;
      const name = file.slice(0, -ARRIVED.length);
      const record = await lstat(join(folder.partial, file));
      const data = await lstat(join(folder.partial, `${name}${DATA}`));
      // Another user could go on writing into a file of theirs, and ours could not be written by us.
      if (![record, data].every((facts) => facts.isFile() && facts.uid === currentUserId())) continue;
      const { size } = record;
      if (best === undefined || size > best.size) best = { name, size };
    }
    return best?.name;
  } catch (cause) {
    if (systemErrorCode(cause) === "ENOENT") return undefined;
    throw toStorageError(cause, `reading ${folder.partial}`);
  }
}
