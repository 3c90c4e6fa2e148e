import type { ConvertedFormat, NewManifest } from "#catalog";
import { digestOf, mediaTypes } from "#oci";

interface FormatTypes {
  readonly config: string;
  readonly layer: string;
}

/** For SIF what its runtimes push and pull (`oras://`); a squashfs has no such custom, so its types are our own. */
const types: Readonly<Record<ConvertedFormat, FormatTypes>> = {
  sif: {
    config: mediaTypes.sifConfig,
    layer: mediaTypes.sifLayer,
  },
  sqsh: {
    config: "application/vnd.wharfinger.squashfs.config.v1+json",
    layer: "application/vnd.wharfinger.squashfs.layer.v1.squashfs",
  },
};

/** The config of every result: there is nothing to say. */
export const resultConfig = new Uint8Array(Buffer.from("{}"));

export interface ResultFacts {
  readonly repository: string;
  readonly format: ConvertedFormat;
  /** The image that it is made of. */
  readonly subject: { readonly mediaType: string; readonly digest: string; readonly sizeBytes: number };
  readonly layer: { readonly digest: string; readonly sizeBytes: number };
}

/** The manifest of an image's other form: one layer, the file itself, and the image as its subject. */
export function renderResult({ repository, format, subject, layer }: ResultFacts): NewManifest {
  const type = types[format];
  const config = digestOf(resultConfig);
  const name = repository.split("/").pop() ?? repository;
  const body = new Uint8Array(
    Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: mediaTypes.ociManifest,
        config: { mediaType: type.config, digest: config, size: resultConfig.length },
        layers: [
          {
            mediaType: type.layer,
            digest: layer.digest,
            size: layer.sizeBytes,
            // What `oras pull` calls the file.
            annotations: { "org.opencontainers.image.title": `${name}.${format}` },
          },
        ],
        subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.sizeBytes },
      }),
    ),
  );
  return {
    digest: digestOf(body),
    mediaType: mediaTypes.ociManifest,
    body,
    // image-spec, "Guidelines for Artifact Usage": without an artifactType the config's type says what it is.
    artifactType: type.config,
    subject: subject.digest,
    annotations: {},
    references: [
      { kind: "blob", digest: config, required: true },
      { kind: "blob", digest: layer.digest, required: true },
    ],
  };
}
