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
  /** Manifests among these that refer to others (signatures, bills of materials): nothing else points to them. */
  readonly referrers: readonly Descriptor[];
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
    const only = typed(found.descriptor, found.manifest, found.bytes);
    return graphOf(only.descriptor, [only], [found.manifest]);
  }
  const walk = createWalk(context, content);
  const root = await walk.visit(content.root, 0);
  return graphOf(root ?? content.root, walk.manifests, walk.parsed);
}

/** The graph with all that refers to its manifests, and to those again. As it was where the content cannot say what refers to what. */
export async function withReferrers(
  context: Context,
  content: ImageContent,
  graph: ImageGraph,
): Promise<ImageGraph> {
  if (content.referrers === undefined) return graph;
  const walk = createWalk(context, content);
  const referrers: Descriptor[] = [];
  const open = graph.manifests.map(({ descriptor }) => descriptor.digest);
  const seen = new Set(open);
  for (let digest = open.pop(); digest !== undefined; digest = open.pop())
    for (const found of await content.referrers(context, digest)) {
      if (seen.has(found.digest)) continue;
      seen.add(found.digest);
      const visited = await walk.visit(found, 0);
      if (visited === undefined) continue;
      referrers.push({
        ...visited,
        ...(found.artifactType === undefined ? {} : { artifactType: found.artifactType }),
      });
      open.push(found.digest);
    }
  const added = graphOf(graph.root, walk.manifests, walk.parsed);
  const blobs = new Map([...graph.blobs, ...added.blobs].map((blob) => [blob.digest, blob]));
  return {
    root: graph.root,
    manifests: [
      ...graph.manifests,
      ...added.manifests.filter(({ descriptor }) => !isIn(graph, descriptor.digest)),
    ],
    referrers,
    blobs: [...blobs.values()],
  };
}

interface Walk {
  readonly manifests: GraphManifest[];
  readonly parsed: Manifest[];
  /** Reads a manifest and what it points to; gives its descriptor with its media type, undefined for one that was read before. */
  visit(descriptor: Descriptor, depth: number): Promise<Descriptor | undefined>;
}

function createWalk(context: Context, content: ImageContent): Walk {
  const seen = new Set<string>();
  const manifests: GraphManifest[] = [];
  const parsed: Manifest[] = [];
  const visit: Walk["visit"] = async (descriptor, depth) => {
    if (seen.has(descriptor.digest)) return undefined;
    seen.add(descriptor.digest);
    if (depth > MAX_DEPTH || seen.size > MAX_MANIFESTS)
      throw new AppError("MANIFEST_INVALID", `${content.name} has manifests without an end`);
    const bytes = await content.readManifest(context, descriptor);
    const manifest = parseManifest(bytes, descriptor.mediaType === "" ? undefined : descriptor.mediaType);
    for (const child of manifest.manifests) await visit(child, depth + 1);
    const read = typed(descriptor, manifest, bytes);
    manifests.push(read);
    parsed.push(manifest);
    return read.descriptor;
  };
  return { manifests, parsed, visit };
}

function isIn(graph: ImageGraph, digest: string): boolean {
  return graph.manifests.some(({ descriptor }) => descriptor.digest === digest);
}

function typed(descriptor: Descriptor, { mediaType }: Manifest, bytes: Uint8Array): GraphManifest {
  return { descriptor: { ...descriptor, mediaType }, bytes };
}

function graphOf(
  root: Descriptor,
  manifests: readonly GraphManifest[],
  parsed: readonly Manifest[],
): ImageGraph {
  const blobs = new Map<string, Descriptor>();
  for (const { config, layers } of parsed)
    for (const blob of config === undefined ? layers : [config, ...layers])
      if (!blobs.has(blob.digest)) blobs.set(blob.digest, blob);
  return { root, manifests, referrers: [], blobs: [...blobs.values()] };
}
