import { createHash } from "node:crypto";
import { zstdCompressSync } from "node:zlib";
import { type Context, isAppError, silentLogger } from "#core";
import { digestOf, mediaTypes, parseDigest } from "#oci";
import type {
  ByteSource,
  LayerBlob,
  LayerEntry,
  LayerIndex,
  LayerVisitor,
} from "../../src/images/contract.ts";
import { defaultLayerLimits, type LayerLimits } from "../../src/images/layers/layer-limits.ts";
import { readLayer } from "../../src/images/layers/read-layer.ts";
import { renderTar, renderTarItems, type TarItem } from "./tar-writer.ts";

/** Bytes in memory as a source; `pieceBytes` bounds what one read gives. */
export function memorySource(bytes: Uint8Array, pieceBytes = Number.MAX_SAFE_INTEGER): ByteSource {
  return {
    sizeBytes: bytes.length,
    read: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + Math.min(length, pieceBytes))),
  };
}

/** A layer of this archive, packed as asked, with its right diff ID. */
export function memoryLayer(tar: Uint8Array, packed: "plain" | "gzip" | "zstd" = "plain"): LayerBlob {
  const bytes =
    packed === "plain" ? tar : packed === "gzip" ? Bun.gzipSync(new Uint8Array(tar)) : zstdCompressSync(tar);
  return packedLayer(bytes, tar);
}

/** A layer whose bytes were packed by the test itself; `tar` is what they unpack to, or undefined for no diff ID. */
export function packedLayer(bytes: Uint8Array, tar: Uint8Array | undefined): LayerBlob {
  return {
    descriptor: {
      mediaType: mediaTypes.ociLayerGzip,
      digest: digestOf(bytes),
      sizeBytes: bytes.length,
      urls: [],
      annotations: {},
    },
    diffId: tar === undefined ? undefined : parseDigest(digestOf(tar)),
    bytes: memorySource(bytes),
  };
}

/** A visitor that keeps the sha256 and the length of every file's content, or the contents themselves. */
export interface ContentRecorder extends LayerVisitor {
  readonly contents: Map<number, { sha256: string; sizeBytes: number; bytes: Buffer }>;
}

export function createContentRecorder(
  isWanted: (entry: LayerEntry) => boolean = () => true,
): ContentRecorder {
  const contents: ContentRecorder["contents"] = new Map();
  let pieces: Buffer[] = [];
  let current = -1;
  return {
    contents,
    entry(entry, index) {
      current = index;
      return isWanted(entry) ? "read" : "skip";
    },
    content(piece) {
      pieces.push(Buffer.from(piece));
    },
    end() {
      const bytes = Buffer.concat(pieces);
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      contents.set(current, { sha256, sizeBytes: bytes.length, bytes });
      pieces = [];
    },
  };
}

/** The indexes of layers that are made of these items, contents skipped. */
export async function indexesOf(layers: readonly (readonly TarItem[])[]): Promise<LayerIndex[]> {
  const indexes: LayerIndex[] = [];
  for (const items of layers) {
    const skipper = createContentRecorder(() => false);
    indexes.push(await readLayer(memoryLayer(renderTarItems(items)), skipper, quietContext()));
  }
  return indexes;
}

/** Reads an archive of these parts; `text` gives a file's content as latin1. */
export async function readParts(
  ...parts: readonly Uint8Array[]
): Promise<{ index: LayerIndex; text: (path: string) => string }> {
  const recorder = createContentRecorder();
  const index = await readLayer(memoryLayer(renderTar(parts)), recorder, quietContext());
  const text = (path: string): string =>
    recorder.contents
      .get(index.entries.findIndex((entry) => entry.path === path))
      ?.bytes.toString("latin1") ?? "";
  return { index, text };
}

/** How reading an archive of these parts is refused: code and message. Throws when it is not. */
export async function refusalOf(
  parts: readonly Uint8Array[],
  limits: LayerLimits = defaultLayerLimits,
): Promise<string> {
  try {
    await readLayer(memoryLayer(renderTar(parts)), createContentRecorder(), quietContext(), limits);
  } catch (error) {
    if (isAppError(error)) return `${error.code} ${error.message}`;
    throw error;
  }
  throw new Error("nothing was refused");
}

/** The entry of that path; throws when there is none. */
export function entryAt(index: LayerIndex, path: string): LayerEntry {
  const entry = index.entries.find((candidate) => candidate.path === path);
  if (entry === undefined) throw new Error(`no entry ${path}`);
  return entry;
}

/** A context that nobody ends and that says nothing. */
export function quietContext(): Context {
  return { signal: new AbortController().signal, log: silentLogger };
}
