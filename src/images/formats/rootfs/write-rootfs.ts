import { randomBytes } from "node:crypto";
import { lstat, mkdir, readdir, rename } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { AppError, type Context } from "#core";
import { isThere, systemErrorCode, toStorageError } from "#system";
import type { LayerBlob, TreeNode } from "../../contract.ts";
import { readContents, readTree } from "../../layers/tree-contents.ts";
import { namesOfTree } from "../../layers/tree-names.ts";
import { FolderWriter } from "./folder-writer.ts";
import type { LeftOut } from "./left-out.ts";
import { removeTree } from "./remove-tree.ts";

/**
 * Unpacks an image's merged tree into a folder that is not there yet, or is empty: beside it under another name, which only the caller can enter, and
 * renamed when it is whole. Says what had to be left out. Throws ALREADY_EXISTS, what `readLayer` and `mergeLayers` throw, STORAGE_FULL,
 * PERMISSION_DENIED, STORAGE_FAILED; then nothing is left behind.
 */
export async function writeRootfs(
  layers: readonly LayerBlob[],
  folder: string,
  context: Context,
): Promise<LeftOut> {
  const target = resolve(folder);
  await refuseFull(target);
  const names = namesOfTree(await readTree(layers, context));
  const temporary = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString("hex")}.tmp`);
  try {
    await mkdir(temporary, { mode: 0o700 });
  } catch (cause) {
    throw toStorageError(cause, `making ${temporary}`);
  }
  let isWhole = false;
  try {
    const leftOut = await unpack(layers, names, temporary, context);
    // Onto an empty folder this replaces it.
    await rename(temporary, target);
    isWhole = true;
    return leftOut;
  } catch (cause) {
    throw toStorageError(cause, `unpacking into ${folder}`);
  } finally {
    if (!isWhole) await removeTree(temporary);
  }
}

async function unpack(
  layers: readonly LayerBlob[],
  names: ReadonlyMap<TreeNode, readonly string[]>,
  folder: string,
  context: Context,
): Promise<LeftOut> {
  const writer = new FolderWriter(folder);
  try {
    const first = (node: TreeNode): string => names.get(node)?.[0] ?? "";
    const nodes = [...names.keys()];
    const folders = nodes.filter(({ type }) => type === "directory");
    for (const node of folders) if (first(node) !== "") writer.addFolder(first(node));
    const files = nodes.filter(({ type }) => type === "file");
    const receiver = {
      begin: (file: TreeNode) => writer.beginFile(first(file), file),
      write: (piece: Uint8Array) => writer.write(piece),
      end: () => writer.endFile(),
    };
    await readContents(layers, files, receiver, context);
    const leftOut = new Set<TreeNode>();
    for (const node of nodes) {
      if (node.type === "directory" || node.type === "file") continue;
      if (!writer.addOther(first(node), node)) leftOut.add(node);
    }
    for (const [node, [, ...further]] of names)
      for (const path of further) if (!leftOut.has(node)) writer.addName(path, first(node));
    for (const node of folders.toReversed()) writer.finishFolder(first(node), node);
    return writer.leftOut;
  } finally {
    writer.close();
  }
}

/** An empty folder is as good as none. */
async function refuseFull(target: string): Promise<void> {
  try {
    if ((await readdir(target)).length === 0 && !(await lstat(target)).isSymbolicLink()) return;
  } catch (cause) {
    const code = systemErrorCode(cause);
    if (code === "ENOENT" && !(await isThere(target))) return;
    if (code !== "ENOENT" && code !== "ENOTDIR") throw toStorageError(cause, `looking at ${target}`);
  }
  throw new AppError("ALREADY_EXISTS", `${target} is there already`, {
    hint: "name a folder that does not exist yet, or remove this one first",
  });
}
