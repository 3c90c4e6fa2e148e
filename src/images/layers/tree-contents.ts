import type { Context } from "#core";
import type { LayerBlob, LayerEntry, LayerIndex, LayerVisitor, TreeNode } from "../contract.ts";
import { mergeLayers } from "./merge-layers.ts";
import { readLayer } from "./read-layer.ts";

/** Takes the bytes of files, one file after the other. A promise is back-pressure. */
export interface ContentReceiver {
  /** `file.sizeBytes` bytes of this file follow. */
  begin(file: TreeNode): void | Promise<void>;
  /** The bytes are valid only until it returns or its promise settles. */
  write(piece: Uint8Array): void | Promise<void>;
  end(): void | Promise<void>;
}

/** An image's merged tree: every layer is decoded for its headers alone. Throws as `readLayer` and `mergeLayers`. */
export async function readTree(layers: readonly LayerBlob[], context: Context): Promise<TreeNode> {
  const indexes: LayerIndex[] = [];
  for (const layer of layers) indexes.push(await readLayer(layer, headersOnly, context));
  return mergeLayers(indexes);
}

/**
 * Hands out the bytes of every file of the tree, each node once whatever its names: first those that the tree holds itself, then lowest layer
 * first in the tar's order. Layers that nothing is left of are not decoded. Throws as `readLayer`, and what the receiver throws.
 */
export async function readContents(
  layers: readonly LayerBlob[],
  files: Iterable<TreeNode>,
  receiver: ContentReceiver,
  context: Context,
): Promise<void> {
  const wanted = layers.map(() => new Map<number, TreeNode>());
  for (const file of files) {
    const { content } = file;
    if (content !== undefined && "entry" in content) wanted[content.layer]?.set(content.entry, file);
    else await receiveMade(receiver, file, content?.bytes);
  }
  for (const [number, layer] of layers.entries()) {
    const entries = wanted[number];
    if (entries !== undefined && entries.size > 0)
      await readLayer(layer, new FileVisitor(entries, receiver), context);
  }
}

const headersOnly: LayerVisitor = { entry: () => "skip", content: () => undefined };

async function receiveMade(
  receiver: ContentReceiver,
  file: TreeNode,
  bytes: Uint8Array | undefined,
): Promise<void> {
  await receiver.begin(file);
  if (bytes !== undefined && bytes.length > 0) await receiver.write(bytes);
  await receiver.end();
}

/** Says of a layer's entries which are files of the tree, and passes those on. */
class FileVisitor implements LayerVisitor {
  readonly #entries: ReadonlyMap<number, TreeNode>;
  readonly #receiver: ContentReceiver;
  #begun: Promise<void> | undefined;

  constructor(entries: ReadonlyMap<number, TreeNode>, receiver: ContentReceiver) {
    this.#entries = entries;
    this.#receiver = receiver;
  }

  entry(_entry: LayerEntry, index: number): "read" | "skip" {
    const file = this.#entries.get(index);
    if (file === undefined) return "skip";
    const begun = this.#receiver.begin(file);
    this.#begun = begun instanceof Promise ? begun : undefined;
    // It is waited for with the first bytes.
    this.#begun?.catch(() => undefined);
    return "read";
  }

  content(piece: Uint8Array): void | Promise<void> {
    const begun = this.#take();
    return begun === undefined ? this.#receiver.write(piece) : begun.then(() => this.#receiver.write(piece));
  }

  end(): void | Promise<void> {
    const begun = this.#take();
    return begun === undefined ? this.#receiver.end() : begun.then(() => this.#receiver.end());
  }

  #take(): Promise<void> | undefined {
    const begun = this.#begun;
    this.#begun = undefined;
    return begun;
  }
}
