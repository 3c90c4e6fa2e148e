import { basename } from "node:path";
import { AppError, type Context } from "#core";
import { type Descriptor, digestOf, mediaTypes } from "#oci";
import { hashFile } from "#system";
import { openSourceFile } from "../cache/index.ts";
import type { ByteSource, ImageContent } from "../contract.ts";
import { type ImageSource, parseSource } from "../sources/parse-source.ts";

/** What can be copied: an image from anywhere, or a SIF file, which goes to a registry as an artifact. */
export type CopySource = ImageSource | { readonly kind: "sif"; readonly text: string; readonly path: string };

/** As Apptainer and SingularityCE push a SIF, and look for one when they pull by `oras://`. */
const TITLE = "org.opencontainers.image.title";

/** As `parseSource`; a path that ends in `.sif` is a SIF file. */
export function parseCopySource(text: string, resolvePath: (path: string) => string): CopySource {
  return /^[^:]+\.sif$/i.test(text)
    ? { kind: "sif", text, path: resolvePath(text) }
    : parseSource(text, resolvePath);
}

/** A SIF file as the artifact that registries keep it as. The file is read twice: its digest comes first. Throws NOT_FOUND. */
export async function openSifContent(path: string): Promise<ImageContent> {
  const hashed = await hashFile(path);
  const file = await openSourceFile(path);
  if (hashed === undefined || file === undefined)
    throw new AppError("NOT_FOUND", `the file ${path} is not there`);
  if (Buffer.from(hashed.head.subarray(32, 41)).toString("latin1") !== "SIF_MAGIC") {
    await file.close();
    throw new AppError("IMAGE_INVALID", `${path} is no SIF file`);
  }
  const config = new TextEncoder().encode("{}");
  const layer: Descriptor = {
    mediaType: mediaTypes.sifLayer,
    digest: `sha256:${hashed.sha256}`,
    sizeBytes: hashed.sizeBytes,
    urls: [],
    // Singularity before 3.10 pulls no file without a name.
    annotations: { [TITLE]: basename(path) },
  };
  const manifest = new TextEncoder().encode(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: { mediaType: mediaTypes.sifConfig, digest: digestOf(config), size: config.length },
      layers: [
        {
          mediaType: layer.mediaType,
          digest: layer.digest,
          size: layer.sizeBytes,
          annotations: layer.annotations,
        },
      ],
    }),
  );
  return {
    name: path,
    root: {
      mediaType: mediaTypes.ociManifest,
      digest: digestOf(manifest),
      sizeBytes: manifest.length,
      urls: [],
      annotations: {},
    },
    readManifest: () => Promise.resolve(manifest),
    blob: ({ digest }) => (digest === layer.digest ? file.source(0, hashed.sizeBytes) : bytesSource(config)),
    prefetch: () => undefined,
    settle: () => Promise.resolve(),
    close: () => file.close(),
  };
}

/** Bytes that are here. */
function bytesSource(bytes: Uint8Array): ByteSource {
  return {
    sizeBytes: bytes.length,
    read: (offset: number, length: number, _context: Context) =>
      Promise.resolve(bytes.subarray(offset, offset + length)),
  };
}
