import type { Context } from "#core";
import { collectGarbage } from "#system";
import type { LayerBlob, LayerIndex, Sink, TreeNode } from "../../contract.ts";
import { mergeLayers } from "../../layers/merge-layers.ts";
import { createShadowFilter } from "../../layers/shadow-filter.ts";
import { LayerContents } from "./layer-contents.ts";
import type { SquashfsOptions } from "./options.ts";
import { SquashfsWriter } from "./squashfs-writer.ts";
import { EMPTY_FILE, NO_FRAGMENT, type StoredFile } from "./stored-file.ts";

/**
 * Changes an image's merged tree before it is written: nodes may be added, changed and taken away, and files may bring bytes of their own.
 * `headOf` gives the first 64 bytes of a file that is an ELF program; undefined for every other.
 */
export type EditTree = (
  root: TreeNode,
  headOf: (file: TreeNode) => Uint8Array | undefined,
) => void | Promise<void>;

export interface BuildSquashfsOptions extends SquashfsOptions {
  readonly edit?: EditTree;
}

export interface BuiltSquashfs {
  /** With the padding: a multiple of 4096. The squashfs ends so many bytes behind `offsetBytes`. */
  readonly sizeBytes: number;
  /** Before compression: what was stored and turned out to belong to no file. */
  readonly deadBytes: number;
}

/**
 * Writes an image's merged tree as one squashfs into `sink`, from `offsetBytes` on, decoding each layer once, the top one first: contents go in
 * as they come, the tree is known when all headers are. The sink is neither finished nor aborted. The bytes depend on layers and options alone.
 * Throws what `readLayer` and `mergeLayers` throw, INVALID_INPUT for options that squashfs cannot have, TOO_LARGE and UNSUPPORTED for a tree that it
 * cannot hold, INTERRUPTED, and what the sink throws.
 */
export async function buildSquashfs(
  layers: readonly LayerBlob[],
  sink: Sink,
  options: BuildSquashfsOptions,
  context: Context,
): Promise<BuiltSquashfs> {
  const writer = new SquashfsWriter(sink, options);
  try {
    const contents = new LayerContents(writer);
    const root = await storeLayers(layers, contents, context).then(mergeStored);
    await options.edit?.(root, (file) => contents.headOf(file));
    const made = await storeMade(root, writer);
    await storeMissing(layers, root, contents, context);
    const storedOf = (file: TreeNode): StoredFile => made.get(file) ?? contents.storedOf(file) ?? EMPTY_FILE;
    const { sizeBytes } = await writer.finish(root, storedOf, context);
    const deadBytes = countDead(root, contents);
    if (deadBytes > 0) context.log.debug("stored contents that belong to no file", { deadBytes });
    return { sizeBytes, deadBytes };
  } finally {
    writer.close();
  }
}

/** All headers, lowest layer first. What upper layers hide is not stored. */
async function storeLayers(
  layers: readonly LayerBlob[],
  contents: LayerContents,
  context: Context,
): Promise<LayerIndex[]> {
  const indexes: LayerIndex[] = [];
  const above = createShadowFilter();
  for (const [layer, blob] of [...layers.entries()].reverse()) {
    const index = await contents.store(blob, layer, (entry) => !above.hides(entry.path), context);
    above.add(index);
    indexes.unshift(index);
  }
  return indexes;
}

/** Headers of so many entries are let go before the tables are made: 375,000 files took 480 MB, and take 430. */
const MANY_ENTRIES = 100_000;

function mergeStored(indexes: LayerIndex[]): TreeNode {
  const entries = indexes.reduce((sum, index) => sum + index.entries.length, 0);
  const root = mergeLayers(indexes);
  // The caller has no use for them any more, but may hold them as long as it waits.
  indexes.length = 0;
  if (entries >= MANY_ENTRIES) collectGarbage();
  return root;
}

/** Stores the files whose bytes are in the tree itself. */
async function storeMade(root: TreeNode, writer: SquashfsWriter): Promise<Map<TreeNode, StoredFile>> {
  const made = new Map<TreeNode, StoredFile>();
  for (const file of filesOf(root)) {
    if (file.content === undefined || !("bytes" in file.content) || made.has(file)) continue;
    const { bytes } = file.content;
    writer.begin(bytes.length);
    await writer.write(bytes);
    made.set(file, await writer.end());
  }
  return made;
}

/** A hard link keeps what its other name's layer seemed to hide: such layers are decoded once more. */
async function storeMissing(
  layers: readonly LayerBlob[],
  root: TreeNode,
  contents: LayerContents,
  context: Context,
): Promise<void> {
  const missing = layers.map(() => new Set<number>());
  for (const file of filesOf(root)) {
    const { content, sizeBytes } = file;
    if (content === undefined || "bytes" in content || sizeBytes === 0) continue;
    if (contents.storedOf(file) === undefined) missing[content.layer]?.add(content.entry);
  }
  for (const [layer, blob] of layers.entries()) {
    const entries = missing[layer];
    if (entries === undefined || entries.size === 0) continue;
    context.log.debug("decoding a layer again", { layer, files: entries.size });
    await contents.store(blob, layer, (_, index) => entries.has(index), context);
  }
}

function countDead(root: TreeNode, contents: LayerContents): number {
  const dead = new Map<number | StoredFile, number>();
  for (const file of contents.storedFiles()) dead.set(placeOf(file), file.sizeBytes);
  for (const file of filesOf(root)) {
    const stored = contents.storedOf(file);
    if (stored !== undefined) dead.delete(placeOf(stored));
  }
  let bytes = 0;
  for (const sizeBytes of dead.values()) bytes += sizeBytes;
  return bytes;
}

/** The same for all files that share bytes. */
function placeOf(file: StoredFile): number | StoredFile {
  return file.fragment === NO_FRAGMENT ? file.startBytes : file;
}

/** Every file under every name. */
function* filesOf(root: TreeNode): Generator<TreeNode> {
  const open = [root];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node.type === "file") yield node;
    for (const child of [...(node.children?.values() ?? [])].reverse()) open.push(child);
  }
}
