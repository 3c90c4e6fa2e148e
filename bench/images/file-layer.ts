import { mediaTypes, parseDigest } from "#oci";
import { hashFile } from "#system";
import type { LayerBlob } from "../../src/images/contract.ts";

/** A file as an image's layer; `tarSha256` (hex) is that of its content without compression. */
export async function fileLayer(path: string, tarSha256: string): Promise<LayerBlob> {
  const { sha256, sizeBytes } = await mustHash(path);
  const file = Bun.file(path);
  return {
    descriptor: {
      mediaType: mediaTypes.ociLayerGzip,
      digest: `sha256:${sha256}`,
      sizeBytes,
      urls: [],
      annotations: {},
    },
    diffId: parseDigest(`sha256:${tarSha256}`),
    bytes: {
      sizeBytes,
      read: async (offset, length) => new Uint8Array(await file.slice(offset, offset + length).arrayBuffer()),
    },
  };
}

export async function mustHash(
  path: string,
): Promise<{ readonly sha256: string; readonly sizeBytes: number }> {
  const found = await hashFile(path);
  if (found === undefined) throw new Error(`${path} is not there`);
  return found;
}
