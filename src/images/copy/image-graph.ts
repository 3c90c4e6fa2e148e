import { AppError, type Context } from "#core";
import { type Descriptor, type Manifest, parseManifest } from "#oci";
import type { ImageContent } from "../contract.ts";
import type { PlatformChoice } from "../sources/choose-platform.ts";
import { findManifest } from "../sources/open-view.ts";

/** What has to be somewhere for an image to be there: original bytes, none of them changed. */
export interface ImageGraph {
  /** With its media type, as the manifest itself says it. */
  readonly root: Descriptor;
  /** Each once, what a manifest points to before it; the root is the last. */
  readonly manifests: readonly GraphManifest[];
  /** Configs and layers, each once. */
  readonly blobs: readonly Descriptor[];
}

export interface GraphManifest {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

/** Indexes in indexes; and manifests of one name: more is nobody's image. */
const MAX_DEPTH = 4;
const MAX_MANIFESTS = 2000;

/**
 * Reads all manifests of what a name means: the whole index with `all`, else the one image for a platform (or the artifact, where the name means one).
 * Throws MANIFEST_INVALID, UNSUPPORTED for a platform that is not there, and what the content throws.
 */
export async function readGraph(
  context: Context,
  content: ImageContent,
  wanted: PlatformChoice | "all",
): Promise<ImageGraph> {
  if (wanted !== "all") {
    const found = await findManifest(context, content, wanted);
    return graphOf([typed(found.descriptor, found.manifest, found.bytes)], [found.manifest]);
  }
  const seen = new Set<string>();
  const manifests: GraphManifest[] = [];
  const parsed: Manifest[] = [];
  const visit = async (descriptor: Descriptor, depth: number): Promise<void> => {
    if (seen.has(descriptor.digest)) return;
    seen.add(descriptor.digest);
    if (depth > MAX_DEPTH || seen.size > MAX_MANIFESTS)
      throw new AppError("MANIFEST_INVALID", `${content.name} has manifests without an end`);
    const bytes = await content.readManifest(context, descriptor);
    const manifest = parseManifest(bytes, descriptor.mediaType === "" ? undefined : descriptor.mediaType);
    for (const child of manifest.manifests) await visit(child, depth + 1);
    manifests.push(typed(descriptor, manifest, bytes));
    parsed.push(manifest);
  };
  await visit(content.root, 0);
  return graphOf(manifests, parsed);
}

function typed(descriptor: Descriptor, { mediaType }: Manifest, bytes: Uint8Array): GraphManifest {
  return { descriptor: { ...descriptor, mediaType }, bytes };
}

function graphOf(manifests: readonly GraphManifest[], parsed: readonly Manifest[]): ImageGraph {
  const root = manifests.at(-1)?.descriptor;
  if (root === undefined) throw new AppError("INTERNAL", "an image without a manifest");
  const blobs = new Map<string, Descriptor>();
  for (const { config, layers } of parsed)
    for (const blob of config === undefined ? layers : [config, ...layers])
      if (!blobs.has(blob.digest)) blobs.set(blob.digest, blob);
  return { root, manifests, blobs: [...blobs.values()] };
}
