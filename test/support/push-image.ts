import type { RegistryClient } from "#client";
import { type Context, silentLogger } from "#core";
import { digestOf, mediaTypes } from "#oci";

const context: Context = { signal: new AbortController().signal, log: silentLogger };

export interface PushedDescriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** Pushes layers (uncompressed tar bytes, lowest first; gzipped on the way) and a config; gives the manifest's descriptor. */
export async function pushImage(
  client: RegistryClient,
  repository: string,
  image: {
    readonly tag?: string;
    readonly layers: readonly Uint8Array[];
    readonly platform?: { readonly os: string; readonly architecture: string; readonly variant?: string };
    readonly run?: Readonly<Record<string, unknown>>;
  },
): Promise<PushedDescriptor> {
  const layers: PushedDescriptor[] = [];
  for (const tar of image.layers)
    layers.push(
      await pushBlob(client, repository, mediaTypes.ociLayerGzip, Bun.gzipSync(new Uint8Array(tar))),
    );
  const config = await pushBlob(
    client,
    repository,
    mediaTypes.ociConfig,
    jsonBytes({
      created: "2026-01-01T00:00:00Z",
      os: "linux",
      architecture: "amd64",
      ...image.platform,
      config: image.run ?? {},
      rootfs: { type: "layers", diff_ids: image.layers.map((tar) => digestOf(tar)) },
      // Debian's docker-registry answers 400 to a HEAD of an image without it.
      history: image.layers.map(() => ({ created_by: "test" })),
    }),
  );
  return pushManifest(client, repository, image.tag, {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config,
    layers,
  });
}

export async function pushBlob(
  client: RegistryClient,
  repository: string,
  mediaType: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<PushedDescriptor> {
  const digest = digestOf(bytes);
  await client.uploadBlob(context, repository, {
    digest,
    sizeBytes: bytes.length,
    content: new Blob([bytes]),
  });
  return { mediaType, digest, size: bytes.length };
}

/** `manifest` is sent as JSON, under the media type that it says. */
export async function pushManifest(
  client: RegistryClient,
  repository: string,
  tag: string | undefined,
  manifest: { readonly mediaType: string } & Readonly<Record<string, unknown>>,
): Promise<PushedDescriptor> {
  const bytes = jsonBytes(manifest);
  const { mediaType } = manifest;
  const digest = await client.putManifest(context, repository, {
    ...(tag === undefined ? {} : { tag }),
    bytes,
    mediaType,
  });
  return { mediaType, digest, size: bytes.length };
}

function jsonBytes(value: unknown): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(value));
}
