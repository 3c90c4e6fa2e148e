import { AppError, type Context } from "#core";
import { type Descriptor, mediaTypes } from "#oci";
import type { ImageContent, Sink } from "./contract.ts";
import { piecesOf } from "./layers/source-pieces.ts";
import type { PlatformChoice } from "./sources/choose-platform.ts";
import { findManifest } from "./sources/open-view.ts";
import type { ImageSource } from "./sources/parse-source.ts";

/** A file that lies in a registry as the one blob of an artifact. */
export interface ArtifactFile {
  readonly manifestDigest: string;
  readonly blob: Descriptor;
  readonly isSif: boolean;
}

const SIF = "application/vnd.sylabs.sif.";
const IMAGE_CONFIGS: ReadonlySet<string> = new Set([mediaTypes.ociConfig, mediaTypes.dockerConfig]);

/**
 * The file that a name means: of oras:// always, of docker:// where a SIF lies there; undefined for an image. Throws UNSUPPORTED where oras:// is written
 * for an image, or for what has not one file.
 */
export async function findArtifact(
  context: Context,
  content: ImageContent,
  source: ImageSource,
  platform: PlatformChoice,
): Promise<ArtifactFile | undefined> {
  if (source.kind !== "artifact" && source.kind !== "registry") return undefined;
  const { descriptor, manifest } = await findManifest(context, content, platform);
  const [blob, ...others] = manifest.layers;
  const config = manifest.config?.mediaType ?? "";
  const isSif = config.startsWith(SIF) || blob?.mediaType.startsWith(SIF) === true;
  if (source.kind === "registry" && !isSif) return undefined;
  if (IMAGE_CONFIGS.has(config) && !isSif)
    throw new AppError("UNSUPPORTED", `${content.name} is an image`, { hint: "write it with docker://" });
  if (blob === undefined || others.length > 0)
    throw new AppError("UNSUPPORTED", `${content.name} is not one file`, {
      details: { files: manifest.layers.length },
    });
  return { manifestDigest: descriptor.digest, blob, isSif };
}

/** Writes it as it lies there; its last byte once its digest is proved. The sink is neither finished nor aborted. */
export async function writeArtifact(
  context: Context,
  content: ImageContent,
  { blob }: ArtifactFile,
  sink: Sink,
): Promise<{ readonly sizeBytes: number }> {
  let at = 0;
  for await (const piece of piecesOf(content.blob(blob), context)) {
    await sink.write(at, piece);
    at += piece.length;
  }
  return { sizeBytes: at };
}
