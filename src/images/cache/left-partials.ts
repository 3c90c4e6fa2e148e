import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { systemErrorCode, toStorageError } from "#system";
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
      const { size } = await stat(join(folder.partial, file));
      await stat(join(folder.partial, `${name}${DATA}`));
      if (best === undefined || size > best.size) best = { name, size };
    }
    return best?.name;
  } catch (cause) {
    if (systemErrorCode(cause) === "ENOENT") return undefined;
    throw toStorageError(cause, `reading ${folder.partial}`);
  }
}
