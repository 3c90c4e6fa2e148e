import { AppError, type Context } from "#core";
import { type Digest, parseDigest } from "#oci";
import type { ImageView, LayerBlob, Sink } from "../../contract.ts";
import { readLayerBytes } from "../../layers/read-layer.ts";
import { plainMember } from "../tar/tar-header.ts";
import { TarStream } from "../tar/tar-stream.ts";

/** An image on its way into an archive, with the names that it gets there: `repository:tag` each. */
export interface ArchivedImage {
  readonly view: ImageView;
  readonly tags: readonly string[];
}

/**
 * Writes images as `docker load` and `podman load` read them: `manifest.json`, each config, each layer uncompressed once, under its diff ID, which is
 * checked. The sink is neither finished nor aborted; the bytes depend on images and names alone. Throws IMAGE_INVALID for an image that does not say what
 * its layers are, what `readLayer` throws, and what the sink throws.
 */
export async function writeDockerArchive(
  images: readonly ArchivedImage[],
  sink: Sink,
  context: Context,
): Promise<{ readonly sizeBytes: number }> {
  const stream = new TarStream(sink);
  const layers = new Map<string, LayerBlob>();
  const configs = new Map<string, Uint8Array>();
  const manifest = images.map(({ view, tags }) => {
    const config = `${parseDigest(view.config.digest).hex}.json`;
    configs.set(config, view.config.bytes);
    const names = view.layers.map((layer) => {
      const name = `${diffIdOf(layer, view).hex}.tar`;
      if (!layers.has(name)) layers.set(name, layer);
      return name;
    });
    return { Config: config, RepoTags: tags.length === 0 ? null : tags, Layers: names };
  });
  const bytes = new TextEncoder().encode(JSON.stringify(manifest));
  await stream.add(plainMember("manifest.json", bytes.length), bytes);
  for (const [name, config] of configs) await stream.add(plainMember(name, config.length), config);
  for (const [name, layer] of layers)
    await stream.addUnsized(plainMember(name, 0), readLayerBytes(layer, context));
  return { sizeBytes: await stream.finish() };
}

function diffIdOf({ diffId }: LayerBlob, view: ImageView): Digest {
  if (diffId?.algorithm === "sha256") return diffId;
  throw new AppError(
    "IMAGE_INVALID",
    `${view.name} does not say the sha256 of its uncompressed layers, which docker needs`,
  );
}
