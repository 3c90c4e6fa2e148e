import { digestOf, mediaTypes, parseImageConfig } from "#oci";
import type { ImageView, LayerBlob } from "../../src/images/contract.ts";

export interface MemoryViewFacts {
  readonly name?: string;
  /** The whole config; `rootfs` is added. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly layers?: readonly LayerBlob[];
}

/** An image of layers in memory, with a config as given. */
export function memoryView({
  name = "docker://r.example/team/app:1",
  config = {},
  layers = [],
}: MemoryViewFacts): ImageView {
  const diffIds = layers.map(({ diffId }) => diffId?.text ?? "");
  const whole = { ...config, rootfs: { type: "layers", diff_ids: diffIds } };
  const manifest = new TextEncoder().encode(`{"schemaVersion":2,"of":${JSON.stringify(name)}}`);
  return {
    name,
    manifest: {
      descriptor: {
        mediaType: mediaTypes.ociManifest,
        digest: digestOf(manifest),
        sizeBytes: manifest.length,
        urls: [],
        annotations: {},
      },
      bytes: manifest,
    },
    config: parseImageConfig(new TextEncoder().encode(JSON.stringify(whole))),
    layers,
  };
}
