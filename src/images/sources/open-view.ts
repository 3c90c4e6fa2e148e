import { AppError, type Context } from "#core";
import {
  type Descriptor,
  type Digest,
  digestOf,
  type Manifest,
  mediaTypes,
  parseDigest,
  parseImageConfig,
  parseManifest,
} from "#oci";
import type { ByteSource, ImageContent, ImageView, LayerBlob } from "../contract.ts";
import { readStretch } from "../read-stretch.ts";
import { refuseArtifact } from "./artifact-kind.ts";
import {
  choosePlatform,
  isForPlatform,
  isImageEntry,
  type PlatformChoice,
  platformsOf,
  renderPlatform,
} from "./choose-platform.ts";

/** Indexes in indexes (image-spec allows it, Apptainer's users meet it): deeper is nobody's image. */
const MAX_DEPTH = 4;
/** Indexes read in search of an image. */
const MAX_INDEXES = 64;
const MAX_CONFIG_BYTES = 8 * 1024 * 1024;

/**
 * The image of `content` for a platform. Its layers come when one of them is first read, the top one first. Throws UNSUPPORTED for what is no image,
 * or none for the platform (naming those that are there), IMAGE_INVALID, MANIFEST_INVALID, and what the content throws.
 */
export async function openView(
  context: Context,
  content: ImageContent,
  choice: PlatformChoice,
): Promise<ImageView> {
  const { descriptor, bytes, manifest } = await findManifest(context, content, choice);
  const { config } = manifest;
  refuseArtifact(manifest, content.name);
  if (config === undefined) throw new AppError("MANIFEST_INVALID", "the image's manifest has no config");
  if (config.sizeBytes > MAX_CONFIG_BYTES)
    throw new AppError("TOO_LARGE", `the image's config is larger than ${MAX_CONFIG_BYTES} bytes`);
  const parsed = parseImageConfig(await readStretch(content.blob(config), 0, config.sizeBytes, context));
  // The bytes that are used, not those that were checked when they were found: in a shared cache another user may write in between.
  if (digestOf(parsed.bytes, parseDigest(config.digest).algorithm) !== config.digest)
    throw new AppError("DIGEST_INVALID", `what lies there as the config ${config.digest} has another digest`);
  const layers = manifest.layers.filter((layer) => layer.mediaType !== mediaTypes.ociEmpty);
  const diffIds = parsed.diffIds;
  if (diffIds.length !== 0 && diffIds.length !== layers.length)
    throw new AppError(
      "IMAGE_INVALID",
      `the image's config speaks of ${diffIds.length} layers, its manifest of ${layers.length}`,
    );
  if (
    choice.isAsked &&
    parsed.platform.architecture !== "" &&
    !isForPlatform(parsed.platform, choice.platform)
  )
    throw noImage(content.name, choice, [renderPlatform(parsed.platform)]);
  let isBegun = false;
  const begin = (): void => {
    if (isBegun) return;
    isBegun = true;
    content.prefetch(layers.toReversed());
  };
  return {
    name: content.name,
    manifest: { descriptor, bytes },
    config: parsed,
    layers: layers.map((layer, index) => layerOf(content, layer, diffIds[index], begin)),
  };
}

export interface FoundManifest {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  readonly manifest: Manifest;
}

/** The manifest of the image for a platform, or of the artifact that the content is. Throws as `openView`. */
export async function findManifest(
  context: Context,
  content: ImageContent,
  choice: PlatformChoice,
): Promise<FoundManifest> {
  const seen = new Set<string>();
  const platforms: string[] = [];
  let read = 0;
  const search = async (descriptor: Descriptor, depth: number): Promise<FoundManifest | undefined> => {
    if (depth > MAX_DEPTH || ++read > MAX_INDEXES) throw tooDeep(content.name);
    const bytes = await content.readManifest(context, descriptor);
    const manifest = parseManifest(bytes, descriptor.mediaType === "" ? undefined : descriptor.mediaType);
    if (manifest.kind !== "index") return { descriptor, bytes, manifest };
    seen.add(descriptor.digest);
    const images = manifest.manifests.filter(isImageEntry);
    for (const { platform } of images) if (platform !== undefined) platforms.push(renderPlatform(platform));
    const [fitting = [], usual = []] = platformsOf(choice).map((platform) =>
      choosePlatform(images, platform),
    );
    // Without a platform it is an index of its own, or an image that says in its config what it is for.
    const unsaid = images.filter((entry) => entry.platform === undefined);
    const only = !choice.isAsked && images.length === 1 ? images : [];
    for (const entry of new Set([...fitting, ...unsaid, ...usual, ...only])) {
      if (seen.has(entry.digest)) continue;
      const found = await search(entry, depth + 1);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  const found = await search(content.root, 0);
  if (found === undefined) throw noImage(content.name, choice, platforms);
  return found;
}

function layerOf(
  content: ImageContent,
  descriptor: Descriptor,
  diffId: Digest | undefined,
  begin: () => void,
): LayerBlob {
  const bytes = content.blob(descriptor);
  const read: ByteSource["read"] = (offset, length, context) => {
    begin();
    return bytes.read(offset, length, context);
  };
  return { descriptor, diffId, bytes: { sizeBytes: bytes.sizeBytes, read } };
}

function noImage(name: string, { platform }: PlatformChoice, found: readonly string[]): AppError {
  const there = [...new Set(found)].sort();
  return new AppError("UNSUPPORTED", `${name} has no image for ${renderPlatform(platform)}`, {
    ...(there.length === 0 ? {} : { hint: `it has ${there.join(", ")}: choose one with --platform` }),
    details: { platforms: there },
  });
}

function tooDeep(name: string): AppError {
  return new AppError("MANIFEST_INVALID", `${name} has indexes in indexes without an end`);
}
