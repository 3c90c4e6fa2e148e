import { AppError, type Context } from "#core";
import { type Descriptor, isForeignLayer, parseDigest } from "#oci";
import type { ByteSource, ImageContent } from "../../contract.ts";
import type { ImageGraph } from "../../copy/image-graph.ts";
import type { LayoutEntry } from "./layout-index.ts";

/** An image on its way into a layout. */
export interface LayoutItem {
  readonly content: ImageContent;
  readonly graph: ImageGraph;
  readonly name: string | undefined;
}

/** A blob as a layout holds it; manifests are blobs like others. */
export interface LayoutBlob {
  readonly descriptor: Descriptor;
  readonly source: ByteSource;
}

/** All blobs of several images, each once: manifests first, so that who reads an archive in order knows what follows. */
export function blobsOf(items: readonly LayoutItem[]): LayoutBlob[] {
  const found = new Map<string, LayoutBlob>();
  for (const { graph } of items)
    for (const { descriptor, bytes } of graph.manifests)
      found.set(descriptor.digest, { descriptor, source: memoryBytes(bytes) });
  for (const { graph, content } of items)
    for (const descriptor of graph.blobs) {
      if (found.has(descriptor.digest)) continue;
      if (isForeignLayer(descriptor)) continue;
      found.set(descriptor.digest, { descriptor, source: content.blob(descriptor) });
    }
  return [...found.values()];
}

/** What the index of a layout of these says: the images by their names, and what refers to them (nothing else would say that it is there). */
export function entriesOf(items: readonly LayoutItem[]): LayoutEntry[] {
  return items.flatMap(({ graph, name }) => [
    { descriptor: graph.root, name },
    ...graph.referrers.map((descriptor) => ({ descriptor, name: undefined })),
  ]);
}

/** `blobs/sha256/…`. CVE-2024-3727: what is not a digest never becomes a path. Throws DIGEST_INVALID. */
export function blobPath(digest: string): string {
  const { algorithm, hex } = parseDigest(digest);
  return `blobs/${algorithm}/${hex}`;
}

/** Several images of one name would replace one another. Throws USAGE. */
export function refuseSameNames(items: readonly LayoutItem[]): void {
  const names = items.map(({ name }) => name);
  const again = names.find((name, index) => name !== undefined && names.indexOf(name) !== index);
  if (again !== undefined) throw new AppError("USAGE", `two images would both be called ${again}`);
}

function memoryBytes(bytes: Uint8Array): ByteSource {
  return {
    sizeBytes: bytes.length,
    read: (offset: number, length: number, _context: Context) =>
      Promise.resolve(bytes.subarray(offset, offset + length)),
  };
}
