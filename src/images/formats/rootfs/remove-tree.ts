import { chmod, lstat, readdir, rm } from "node:fs/promises";
import { toStorageError } from "#system";

/** Removes a folder that the caller made, with what the modes of an image inside would keep it from removing. */
export async function removeTree(folder: string): Promise<void> {
  try {
    await openFolders(Buffer.from(folder));
    await rm(folder, { recursive: true, force: true });
  } catch (cause) {
    throw toStorageError(cause, `removing ${folder}`);
  }
}

/** Links are not followed: they are no folders here. */
async function openFolders(folder: Buffer): Promise<void> {
  const open = [folder];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    await chmod(path, 0o700);
    for (const name of await readdir(path, { encoding: "buffer" })) {
      const child = Buffer.concat([path, Buffer.from("/"), name]);
      if ((await lstat(child)).isDirectory()) open.push(child);
    }
  }
}
