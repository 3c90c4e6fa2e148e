import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { digestOf, mediaTypes } from "#oci";
import type { LayerBlob } from "../../src/images/contract.ts";
import { quietContext } from "./memory-layer.ts";

/** Writes an OCI image layout with one image of these layers, tagged `tag`, whose config is right. `folder` must not exist. */
export async function writeLayout(
  folder: string,
  layers: readonly LayerBlob[],
  tag = "image",
): Promise<void> {
  const blobs = join(folder, "blobs", "sha256");
  mkdirSync(blobs, { recursive: true });
  const put = (mediaType: string, bytes: Uint8Array): { mediaType: string; digest: string; size: number } => {
    const digest = digestOf(bytes);
    writeFileSync(join(blobs, digest.slice("sha256:".length)), bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
  const config = put(
    mediaTypes.ociConfig,
    json({
      architecture: "amd64",
      os: "linux",
      config: {},
      rootfs: { type: "layers", diff_ids: layers.map((layer) => layer.diffId?.text) },
      history: layers.map((_, number) => ({ created_by: `layer ${number}` })),
    }),
  );
  const descriptors = [];
  for (const { descriptor, bytes } of layers) {
    // In pieces: a benchmark's layer has gigabytes.
    const file = openSync(join(blobs, descriptor.digest.slice("sha256:".length)), "w");
    for (let offset = 0; offset < bytes.sizeBytes; ) {
      const piece = await bytes.read(offset, PIECE_BYTES, quietContext());
      if (piece.length === 0) throw new Error(`the layer ${descriptor.digest} is short`);
      offset += writeSync(file, piece);
    }
    closeSync(file);
    descriptors.push({
      mediaType: descriptor.mediaType,
      digest: descriptor.digest,
      size: bytes.sizeBytes,
    });
  }
  const manifest = put(
    mediaTypes.ociManifest,
    json({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: descriptors }),
  );
  const entry = { ...manifest, annotations: { "org.opencontainers.image.ref.name": tag } };
  writeFileSync(join(folder, "index.json"), json({ schemaVersion: 2, manifests: [entry] }));
  writeFileSync(join(folder, "oci-layout"), json({ imageLayoutVersion: "1.0.0" }));
}

const PIECE_BYTES = 8 * 1024 * 1024;
