import { createHash } from "node:crypto";
import { AppError, type Context } from "#core";
import {
  digestOf,
  type ImageConfig,
  mediaTypes,
  parseImageConfig,
  parseReference,
  renderReference,
} from "#oci";
import type { ByteSource, ImageContent } from "../contract.ts";
import { sniffCompression } from "../layers/read-layer.ts";
import { readStretch } from "../read-stretch.ts";
import type { OpenArchive } from "./archive-file.ts";
import { createStoredContent } from "./stored-content.ts";

/** An image of the archive, as its manifest.json has it. */
interface Saved {
  readonly config: string;
  readonly names: readonly string[];
  readonly layers: readonly string[];
}

interface FoundLayer {
  readonly mediaType: string;
  readonly digest: string;
  readonly source: ByteSource;
}

const MAX_JSON_BYTES = 8 * 1024 * 1024;
const MAX_IMAGES = 10_000;
const MAX_LAYERS = 10_000;
const HASH_BYTES = 1024 * 1024;
const LAYER_TYPES = {
  plain: "application/vnd.docker.image.rootfs.diff.tar",
  gzip: mediaTypes.dockerLayerGzip,
  zstd: "application/vnd.docker.image.rootfs.diff.tar.zstd",
} as const;

/**
 * An image out of what `docker save` wrote. The manifest that such an archive lacks is made of the config and of the layers as they lie there. Throws
 * INVALID_INPUT for another archive, MANIFEST_UNKNOWN and USAGE as a layout does, IMAGE_INVALID.
 */
export async function openDockerArchiveContent(
  context: Context,
  archive: OpenArchive,
  about: { readonly name: string; readonly image: string | undefined },
): Promise<ImageContent> {
  const saved = chooseSaved(parseSaved(await readJson(context, archive, "manifest.json", about.name)), about);
  const configSource = archive.find(saved.config);
  if (configSource === undefined) throw damaged(about.name, "its config is missing");
  if (configSource.sizeBytes > MAX_JSON_BYTES) throw damaged(about.name, "its config is too large");
  const config = parseImageConfig(await readStretch(configSource, 0, configSource.sizeBytes, context));
  const layers = await findLayers(context, archive, { saved, config, name: about.name });
  const manifest = new TextEncoder().encode(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.dockerManifest,
      config: { mediaType: mediaTypes.dockerConfig, size: config.bytes.length, digest: config.digest },
      layers: layers.map(({ mediaType, digest, source }) => ({ mediaType, size: source.sizeBytes, digest })),
    }),
  );
  const sources = new Map<string, ByteSource>([
    [digestOf(manifest), sourceOf(manifest)],
    [config.digest, sourceOf(config.bytes)],
    ...layers.map(({ digest, source }) => [digest, source] as const),
  ]);
  const root = {
    mediaType: mediaTypes.dockerManifest,
    digest: digestOf(manifest),
    sizeBytes: manifest.length,
    urls: [],
    annotations: {},
  };
  return createStoredContent(about.name, root, {
    find: ({ digest }) => Promise.resolve(sources.get(digest)),
    close: () => archive.close(),
  });
}

/** What the images of an archive are called, the first name of each. Throws as `openDockerArchiveContent`. */
export async function listSavedImages(
  context: Context,
  archive: OpenArchive,
  name: string,
): Promise<readonly string[]> {
  const saved = parseSaved(await readJson(context, archive, "manifest.json", name));
  return saved.flatMap(({ names }) => names.slice(0, 1));
}

async function findLayers(
  context: Context,
  archive: OpenArchive,
  about: { readonly saved: Saved; readonly config: ImageConfig; readonly name: string },
): Promise<readonly FoundLayer[]> {
  const { saved, config, name } = about;
  if (saved.layers.length !== config.diffIds.length)
    throw damaged(
      name,
      `it has ${saved.layers.length} layers, its config speaks of ${config.diffIds.length}`,
    );
  const layers: FoundLayer[] = [];
  for (const [index, path] of saved.layers.entries()) {
    const source = archive.find(path);
    const diffId = config.diffIds[index];
    if (source === undefined || diffId === undefined) throw damaged(name, `its layer ${index} is missing`);
    const head = await readStretch(source, 0, Math.min(512, source.sizeBytes), context);
    const compression = sniffCompression(head);
    layers.push({
      mediaType: LAYER_TYPES[compression ?? "plain"],
      // What is not compressed is what the diff ID is of.
      digest: compression === undefined ? diffId.text : await hashOf(context, source),
      source,
    });
  }
  return layers;
}

async function hashOf(context: Context, source: ByteSource): Promise<string> {
  const hash = createHash("sha256");
  for (let at = 0; at < source.sizeBytes; at += HASH_BYTES)
    hash.update(await readStretch(source, at, Math.min(HASH_BYTES, source.sizeBytes - at), context));
  return `sha256:${hash.digest("hex")}`;
}

async function readJson(
  context: Context,
  archive: OpenArchive,
  path: string,
  name: string,
): Promise<unknown> {
  const source = archive.find(path);
  if (source === undefined)
    throw new AppError(
      "INVALID_INPUT",
      `${name} is not what docker save writes: it has no ${path}`,
      archive.find("oci-layout") === undefined ? {} : { hint: "it is an OCI layout: write oci-archive:" },
    );
  if (source.sizeBytes > MAX_JSON_BYTES)
    throw new AppError("TOO_LARGE", `the ${path} of ${name} is larger than ${MAX_JSON_BYTES} bytes`);
  try {
    return JSON.parse(Buffer.from(await readStretch(source, 0, source.sizeBytes, context)).toString());
  } catch (cause) {
    throw new AppError("IMAGE_INVALID", `the ${path} of ${name} is not JSON`, { cause });
  }
}

function parseSaved(value: unknown): readonly Saved[] {
  if (!Array.isArray(value) || value.length > MAX_IMAGES)
    throw new AppError("IMAGE_INVALID", "the archive's manifest.json is not a list of images");
  return value.map((entry: unknown) => {
    const { Config, RepoTags, Layers } = (entry ?? {}) as Record<string, unknown>;
    const names = RepoTags ?? [];
    if (typeof Config !== "string" || !isTexts(Layers) || !isTexts(names) || Layers.length > MAX_LAYERS)
      throw new AppError(
        "IMAGE_INVALID",
        "the archive's manifest.json has an image without config or layers",
      );
    return { config: Config, names, layers: Layers };
  });
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function chooseSaved(
  images: readonly Saved[],
  { name, image }: { readonly name: string; readonly image: string | undefined },
): Saved {
  const names = images.flatMap((saved) => saved.names);
  const [first] = images;
  if (first === undefined) throw new AppError("MANIFEST_UNKNOWN", `${name} holds no image`);
  if (image !== undefined) {
    const wanted = fullName(image);
    const found = images.find((saved) => saved.names.some((other) => fullName(other) === wanted));
    if (found !== undefined) return found;
    throw new AppError("MANIFEST_UNKNOWN", `${name} is not there`, {
      hint:
        names.length === 0 ? "its images have no names: leave the name out" : `there is ${names.join(", ")}`,
      details: { names },
    });
  }
  if (images.length === 1) return first;
  throw new AppError("USAGE", `${name} holds several images`, {
    hint: `name one of ${names.join(", ")} behind a colon`,
    details: { names },
  });
}

/** `debian` and `docker.io/library/debian:latest` are one name; what is none stays as it is. */
function fullName(text: string): string {
  try {
    const reference = parseReference(text);
    return renderReference(reference.tag === undefined ? { ...reference, tag: "latest" } : reference);
  } catch {
    return text;
  }
}

function sourceOf(bytes: Uint8Array): ByteSource {
  return { sizeBytes: bytes.length, read: async (offset, length) => bytes.subarray(offset, offset + length) };
}

function damaged(name: string, why: string): AppError {
  return new AppError("IMAGE_INVALID", `${name} cannot be read: ${why}`);
}
