import { AppError } from "#core";
import { type Descriptor, digestOf, mediaTypes, type Platform } from "#oci";
import type { ImageContent } from "../../src/images/contract.ts";
import { memorySource } from "./memory-layer.ts";
import { renderTarItems, type TarItem } from "./tar-writer.ts";

/** An image, or an index of several, in memory; blobs can be taken away or changed under way. */
export interface MemoryContent extends ImageContent {
  readonly blobs: Map<string, Uint8Array>;
  readonly manifests: Map<string, Uint8Array>;
  /** Manifests by platform, `linux/amd64`. */
  readonly images: ReadonlyMap<string, Descriptor>;
  /** How often a blob's bytes were asked for. */
  reads: number;
}

export interface MemoryImage {
  readonly layers: readonly (readonly TarItem[])[];
  /** More than one makes an index. */
  readonly platforms?: readonly Platform[];
  readonly run?: Readonly<Record<string, unknown>>;
}

const AMD64: Platform = { os: "linux", architecture: "amd64" };

export function memoryContent(name: string, image: MemoryImage): MemoryContent {
  const blobs = new Map<string, Uint8Array>();
  const manifests = new Map<string, Uint8Array>();
  const put = (into: Map<string, Uint8Array>, mediaType: string, bytes: Uint8Array): Descriptor => {
    const digest = digestOf(bytes);
    into.set(digest, bytes);
    return { mediaType, digest, sizeBytes: bytes.length, urls: [], annotations: {} };
  };
  const tars = image.layers.map(renderTarItems);
  const layers = tars.map((tar) => put(blobs, mediaTypes.ociLayerGzip, Bun.gzipSync(new Uint8Array(tar))));
  const images = new Map<string, Descriptor>();
  for (const platform of image.platforms ?? [AMD64]) {
    const config = put(
      blobs,
      mediaTypes.ociConfig,
      json({
        created: "2026-01-01T00:00:00Z",
        ...platform,
        config: image.run ?? {},
        rootfs: { type: "layers", diff_ids: tars.map((tar) => digestOf(tar)) },
        history: tars.map(() => ({ created_by: "test" })),
      }),
    );
    const mediaType = mediaTypes.ociManifest;
    const bytes = json({ schemaVersion: 2, mediaType, config: written(config), layers: layers.map(written) });
    images.set(`${platform.os}/${platform.architecture}`, { ...put(manifests, mediaType, bytes), platform });
  }
  const entries = [...images.values()];
  const index = json({
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: entries.map((entry) => ({ ...written(entry), platform: entry.platform })),
  });
  const only = entries[0];
  const root =
    entries.length === 1 && only !== undefined
      ? { ...only, platform: undefined }
      : put(manifests, mediaTypes.ociIndex, index);
  const { platform: _, ...plain } = root as Descriptor;
  const content: MemoryContent = {
    name,
    root: plain,
    blobs,
    manifests,
    images,
    reads: 0,
    readManifest(_context, { digest }) {
      const bytes = manifests.get(digest);
      if (bytes === undefined) return Promise.reject(new AppError("MANIFEST_UNKNOWN", "not there"));
      return Promise.resolve(bytes);
    },
    blob({ digest, sizeBytes }) {
      return {
        sizeBytes,
        read(offset, length, context) {
          content.reads++;
          const bytes = blobs.get(digest);
          if (bytes === undefined) return Promise.reject(new AppError("BLOB_UNKNOWN", "not there"));
          return memorySource(bytes, 100_000).read(offset, length, context);
        },
      };
    },
    prefetch: () => undefined,
    settle: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
  return content;
}

function written({ mediaType, digest, sizeBytes }: Descriptor): Readonly<Record<string, unknown>> {
  return { mediaType, digest, size: sizeBytes };
}

function json(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
