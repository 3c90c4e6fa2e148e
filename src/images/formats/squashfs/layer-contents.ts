import type { Context } from "#core";
import type { LayerBlob, LayerEntry, LayerIndex, LayerVisitor, TreeNode } from "../../contract.ts";
import { readLayer } from "../../layers/read-layer.ts";
import type { SquashfsWriter } from "./squashfs-writer.ts";
import type { StoredFile } from "./stored-file.ts";

/** What is kept of the start of a program: an ELF header says the machine that it is for. */
const HEAD_BYTES = 64;
const ELF_MAGIC = "\x7fELF";

/** The files of layers that went into a squashfs: where each is, and how programs among them begin. */
export class LayerContents {
  readonly #writer: SquashfsWriter;
  /** By layer and entry; with gaps. */
  readonly #stored: StoredFile[][] = [];
  readonly #heads: Map<number, Uint8Array>[] = [];

  constructor(writer: SquashfsWriter) {
    this.#writer = writer;
  }

  /** Decodes a layer and stores the contents that are wanted; `layer` is its number. Throws as `readLayer`. */
  async store(
    blob: LayerBlob,
    layer: number,
    isWanted: (entry: LayerEntry, index: number) => boolean,
    context: Context,
  ): Promise<LayerIndex> {
    const stored = (this.#stored[layer] ??= []);
    const heads = (this.#heads[layer] ??= new Map());
    return await readLayer(blob, new ContentVisitor(this.#writer, stored, heads, isWanted), context);
  }

  /** Where the bytes of a file of the tree are; undefined when they were not stored. */
  storedOf({ content }: TreeNode): StoredFile | undefined {
    return content === undefined || "bytes" in content
      ? undefined
      : this.#stored[content.layer]?.[content.entry];
  }

  /** The first 64 bytes of an ELF program; undefined for everything else. */
  headOf({ content }: TreeNode): Uint8Array | undefined {
    return content === undefined || "bytes" in content
      ? undefined
      : this.#heads[content.layer]?.get(content.entry);
  }

  /** Everything that was stored, for every entry. */
  *storedFiles(): Generator<StoredFile> {
    for (const layer of this.#stored) for (const file of layer ?? []) if (file !== undefined) yield file;
  }
}

class ContentVisitor implements LayerVisitor {
  readonly #writer: SquashfsWriter;
  readonly #stored: StoredFile[];
  readonly #heads: Map<number, Uint8Array>;
  readonly #isWanted: (entry: LayerEntry, index: number) => boolean;
  #index = 0;
  #head: Buffer | undefined;
  #headBytes = 0;

  constructor(
    writer: SquashfsWriter,
    stored: StoredFile[],
    heads: Map<number, Uint8Array>,
    isWanted: (entry: LayerEntry, index: number) => boolean,
  ) {
    this.#writer = writer;
    this.#stored = stored;
    this.#heads = heads;
    this.#isWanted = isWanted;
  }

  entry(entry: LayerEntry, index: number): "read" | "skip" {
    if (entry.type !== "file" || entry.sizeBytes === 0 || !this.#isWanted(entry, index)) return "skip";
    this.#index = index;
    this.#headBytes = 0;
    this.#head =
      (entry.mode & 0o111) !== 0 && entry.sizeBytes >= HEAD_BYTES ? Buffer.alloc(HEAD_BYTES) : undefined;
    this.#writer.begin(entry.sizeBytes);
    return "read";
  }

  content(piece: Uint8Array): void | Promise<void> {
    if (this.#head !== undefined) this.#keepHead(this.#head, piece);
    return this.#writer.write(piece);
  }

  end(): void | Promise<void> {
    const ended = this.#writer.end();
    const index = this.#index;
    if (!(ended instanceof Promise)) {
      this.#stored[index] = ended;
      return;
    }
    return ended.then((file) => {
      this.#stored[index] = file;
    });
  }

  #keepHead(head: Buffer, piece: Uint8Array): void {
    const part = piece.subarray(0, HEAD_BYTES - this.#headBytes);
    head.set(part, this.#headBytes);
    this.#headBytes += part.length;
    if (this.#headBytes < HEAD_BYTES) return;
    if (head.toString("latin1", 0, ELF_MAGIC.length) === ELF_MAGIC) this.#heads.set(this.#index, head);
    this.#head = undefined;
  }
}
