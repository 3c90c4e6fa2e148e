import type { RegistryClient } from "#client";
import { AppError, type Context } from "#core";

const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";
const CONFIG_TYPE = "application/vnd.oci.image.config.v1+json";
const LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip";

/** A small image: one layer with one file, its config and its manifest. */
export interface DemoImage {
  readonly manifest: Uint8Array<ArrayBuffer>;
  readonly blobs: readonly { readonly digest: string; readonly bytes: Uint8Array<ArrayBuffer> }[];
}

export function createDemoImage(): DemoImage {
  const tar = tarOf("hello.txt", "Hello from a private registry.\n");
  const layer = blobOf(Bun.gzipSync(tar));
  const config = jsonBlob({
    architecture: "amd64",
    os: "linux",
    config: {},
    rootfs: { type: "layers", diff_ids: [digestOf(tar)] },
  });
  const { bytes: manifest } = jsonBlob({
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: { mediaType: CONFIG_TYPE, digest: config.digest, size: config.bytes.length },
    layers: [{ mediaType: LAYER_TYPE, digest: layer.digest, size: layer.bytes.length }],
  });
  return { manifest, blobs: [config, layer] };
}

/** Pushes as any client does: blobs first, then the manifest under its tag. Gives the manifest's digest. */
export async function pushImage(
  context: Context,
  client: RegistryClient,
  target: { readonly repository: string; readonly tag: string },
  image: DemoImage,
): Promise<string> {
  for (const { digest, bytes } of image.blobs)
    await client.uploadBlob(context, target.repository, {
      digest,
      sizeBytes: bytes.length,
      content: new Blob([bytes]),
    });
  return client.putManifest(context, target.repository, {
    tag: target.tag,
    bytes: image.manifest,
    mediaType: MANIFEST_TYPE,
  });
}

/** Pulls it again, every blob checked against its digest by the client. Gives what was pulled. */
export async function pullImage(
  context: Context,
  client: RegistryClient,
  target: { readonly repository: string; readonly tag: string },
): Promise<{ readonly digest: string; readonly sizeBytes: number }> {
  const manifest = await client.getManifest(context, target.repository, target.tag);
  if (manifest === undefined)
    throw new AppError("MANIFEST_UNKNOWN", `there is no ${target.repository}:${target.tag}`);
  const { config, layers } = JSON.parse(new TextDecoder().decode(manifest.bytes));
  let sizeBytes = manifest.bytes.length;
  for (const { digest } of [config, ...layers]) {
    const blob = await client.getBlob(context, target.repository, { digest });
    if (blob === undefined) throw new AppError("BLOB_UNKNOWN", `there is no blob ${digest}`);
    sizeBytes += (await new Response(blob.body).bytes()).length;
  }
  return { digest: manifest.digest, sizeBytes };
}

/** A tar archive (POSIX ustar) of one small file, the same bytes whenever it is made. */
function tarOf(name: string, content: string): Uint8Array<ArrayBuffer> {
  const tar = new Uint8Array(512 + 512 + 1024);
  const put = (offset: number, text: string): void => {
    tar.set(new TextEncoder().encode(text), offset);
  };
  const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, "0");
  put(0, name);
  put(100, octal(0o644, 7));
  put(108, octal(0, 7));
  put(116, octal(0, 7));
  put(124, octal(content.length, 11));
  put(136, octal(0, 11));
  put(148, " ".repeat(8));
  put(156, "0");
  put(257, "ustar\u000000");
  const sum = tar.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  put(148, `${octal(sum, 6)}\u0000 `);
  put(512, content);
  return tar;
}

function jsonBlob(value: unknown): DemoImage["blobs"][number] {
  return blobOf(new TextEncoder().encode(JSON.stringify(value)));
}

function blobOf(bytes: Uint8Array<ArrayBuffer>): DemoImage["blobs"][number] {
  return { digest: digestOf(bytes), bytes };
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${new Bun.CryptoHasher("sha256").update(bytes).digest("hex")}`;
}
