import { join } from "node:path";
import { AppError, type Context } from "#core";
import {
  type Descriptor,
  digestOf,
  MAX_MANIFEST_BYTES,
  mediaTypes,
  parseDigest,
  parseManifest,
  referrerArtifactType,
} from "#oci";
import { openSourceFile, type SourceFile } from "../cache/index.ts";
import type { ByteSource, ImageContent } from "../contract.ts";
import { readStretch } from "../read-stretch.ts";
import { createStoredContent, type StoredBlobs } from "./stored-content.ts";

/** The files of an OCI layout (image-spec, image-layout.md), in a folder or an archive. */
export interface LayoutFiles {
  /** `path` is one of the layout's own, never somebody's text. undefined where it is not there. */
  open(path: string): Promise<ByteSource | undefined>;
  close(): Promise<void>;
}

const REF_NAME = "org.opencontainers.image.ref.name";
const CONTAINERD_NAME = "io.containerd.image.name";
const MAX_MARKER_BYTES = 4096;

export function openFolderFiles(folder: string): LayoutFiles {
  const open = new Map<string, Promise<SourceFile | undefined>>();
  return {
    async open(path) {
      const file = open.get(path) ?? openSourceFile(join(folder, path));
      open.set(path, file);
      return (await file)?.source();
    },
    async close() {
      for (const file of open.values()) await (await file.catch(() => undefined))?.close();
    },
  };
}

/**
 * The image `image` of a layout: a name as its index has it, or a digest; where nothing is said the only one. Throws INVALID_INPUT for no layout,
 * MANIFEST_UNKNOWN (naming what is there), USAGE where several images are there and none was named, MANIFEST_INVALID.
 */
export async function openLayoutContent(
  context: Context,
  files: LayoutFiles,
  about: { readonly name: string; readonly image: string | undefined },
): Promise<ImageContent> {
  const index = await readIndex(context, files, about.name);
  const { manifests } = parseManifest(index, mediaTypes.ociIndex);
  const root = chooseRoot(manifests, about) ?? {
    mediaType: mediaTypes.ociIndex,
    digest: digestOf(index),
    sizeBytes: index.length,
    urls: [],
    annotations: {},
  };
  const content = createStoredContent(about.name, root, blobsOf(files, index));
  let known: Promise<ReadonlyMap<string, readonly Descriptor[]>> | undefined;
  return {
    ...content,
    async referrers(inner, digest) {
      known ??= findReferrers(inner, content, manifests);
      return (await known).get(digest) ?? [];
    },
  };
}

/** What says in its manifest which one it refers to, by that: such manifests have no name in the index. */
async function findReferrers(
  context: Context,
  content: ImageContent,
  entries: readonly Descriptor[],
): Promise<ReadonlyMap<string, readonly Descriptor[]>> {
  const found = new Map<string, Descriptor[]>();
  for (const entry of entries) {
    if (namesOf(entry).length > 0) continue;
    const manifest = parseManifest(await content.readManifest(context, entry), entry.mediaType || undefined);
    const digest = manifest.subject?.digest;
    if (digest === undefined) continue;
    const artifactType = referrerArtifactType(manifest);
    const referrer = artifactType === undefined ? entry : { ...entry, artifactType };
    found.set(digest, [...(found.get(digest) ?? []), referrer]);
  }
  return found;
}

/** What the images of a layout are called, in its own order; their digests where none has a name. Throws as `openLayoutContent`. */
export async function listLayoutImages(
  context: Context,
  files: LayoutFiles,
  name: string,
): Promise<readonly string[]> {
  const { manifests } = parseManifest(await readIndex(context, files, name), mediaTypes.ociIndex);
  const names = manifests.flatMap((entry) => namesOf(entry).slice(0, 1));
  return [...new Set(names.length > 0 ? names : manifests.map(({ digest }) => digest))];
}

async function readIndex(context: Context, files: LayoutFiles, name: string): Promise<Uint8Array> {
  await checkMarker(context, files, name);
  const source = await files.open("index.json");
  if (source === undefined) throw noLayout(name, "it has no index.json");
  if (source.sizeBytes > MAX_MANIFEST_BYTES)
    throw new AppError("TOO_LARGE", `the index.json of ${name} is larger than ${MAX_MANIFEST_BYTES} bytes`);
  return await readStretch(source, 0, source.sizeBytes, context);
}

function blobsOf(files: LayoutFiles, index: Uint8Array): StoredBlobs {
  const own = digestOf(index);
  return {
    async find({ digest }) {
      if (digest === own)
        return { sizeBytes: index.length, read: async (at, length) => index.subarray(at, at + length) };
      const { algorithm, hex } = parseDigest(digest);
      return files.open(`blobs/${algorithm}/${hex}`);
    },
    close: () => files.close(),
  };
}

async function checkMarker(context: Context, files: LayoutFiles, name: string): Promise<void> {
  const marker = await files.open("oci-layout");
  if (marker === undefined) throw noLayout(name, "it has no file oci-layout");
  const bytes = await readStretch(marker, 0, Math.min(marker.sizeBytes, MAX_MARKER_BYTES), context);
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString());
  } catch (cause) {
    throw new AppError("INVALID_INPUT", `the oci-layout of ${name} is not JSON`, { cause });
  }
  const said = (value as { readonly imageLayoutVersion?: unknown } | null)?.imageLayoutVersion;
  if (typeof said !== "string" || !said.startsWith("1."))
    throw new AppError("UNSUPPORTED", `${name} is a layout of a version that is not read here`);
}

/** undefined for the index itself: entries without names are the platforms of one image. */
function chooseRoot(
  entries: readonly Descriptor[],
  { name, image }: { readonly name: string; readonly image: string | undefined },
): Descriptor | undefined {
  const names = [...new Set(entries.flatMap(namesOf))].sort();
  if (image !== undefined) {
    const found = entries.find((entry) => entry.digest === image || namesOf(entry).includes(image));
    if (found !== undefined) return found;
    throw new AppError("MANIFEST_UNKNOWN", `${name} is not there`, {
      hint:
        names.length === 0 ? "its images have no names: leave the name out" : `there is ${names.join(", ")}`,
      details: { names },
    });
  }
  if (entries.length === 0) throw new AppError("MANIFEST_UNKNOWN", `${name} holds no image`);
  if (new Set(entries.map(({ digest }) => digest)).size === 1) return entries[0];
  // What has no name beside one that has refers to it: a signature, a bill of materials.
  const named = entries.filter((entry) => namesOf(entry).length > 0);
  if (new Set(named.map(({ digest }) => digest)).size === 1) return named[0];
  if (names.length === 0) return undefined;
  throw new AppError("USAGE", `${name} holds several images`, {
    hint: `name one of ${names.join(", ")} behind a colon`,
    details: { names },
  });
}

function namesOf({ annotations }: Descriptor): readonly string[] {
  return [annotations[REF_NAME], annotations[CONTAINERD_NAME]].filter((name) => name !== undefined);
}

function noLayout(name: string, why: string): AppError {
  return new AppError("INVALID_INPUT", `${name} is no OCI layout: ${why}`);
}
