import type { RegistryClient } from "#client";
import { type Context, isAppError } from "#core";
import { type Descriptor, isForeignLayer } from "#oci";
import type { ByteSource, ImageContent } from "../contract.ts";
import { streamOf } from "../layers/source-pieces.ts";
import type { GraphManifest, ImageGraph } from "./image-graph.ts";
import { inParallel } from "./in-parallel.ts";

/** Where an image goes in a registry. */
export interface PushTarget {
  readonly client: RegistryClient;
  readonly repository: string;
  /** Without: by its digest alone. */
  readonly tag: string | undefined;
  /** Repositories of the same registry that may hold a blob already, by digest: the registry is asked to mount it. */
  readonly mountFrom: Map<string, string>;
}

/** What became of the blobs; those that were there already were not even asked for where the whole image was. */
export interface PushOutcome {
  readonly isPresent: boolean;
  readonly sent: number;
  readonly mounted: number;
  readonly present: number;
  readonly sentBytes: number;
  /** Layers that their makers keep elsewhere, which neither side holds. */
  readonly foreign: number;
}

const UPLOADS = 4;
const ATTEMPTS = 3;

/**
 * Brings a graph into a repository: blobs beside one another, each only where it is not there and cannot be mounted, then manifests, what points to
 * others behind them, so that nothing is ever named before it is whole. Throws what client and content throw.
 */
export async function pushGraph(
  context: Context,
  content: ImageContent,
  graph: ImageGraph,
  target: PushTarget,
): Promise<PushOutcome> {
  const counts = { isPresent: false, sent: 0, mounted: 0, present: 0, sentBytes: 0, foreign: 0 };
  const { client, repository, tag } = target;
  const head = await client.headManifest(context, repository, tag ?? graph.root.digest);
  // A registry takes no manifest before all that it names is there; what refers to it may still be missing.
  if (head?.digest === graph.root.digest && graph.referrers.length === 0)
    return { ...counts, isPresent: true };
  await inParallel(graph.blobs, UPLOADS, async (blob) => {
    const how = await pushBlob(context, content, blob, target);
    counts[how]++;
    if (how === "sent") counts.sentBytes += blob.sizeBytes;
    if (how !== "foreign") target.mountFrom.set(blob.digest, repository);
  });
  for (const manifest of graph.manifests) await putManifest(context, manifest, target, graph.root);
  return counts;
}

async function putManifest(
  context: Context,
  { descriptor, bytes }: GraphManifest,
  { client, repository, tag }: PushTarget,
  root: Descriptor,
): Promise<void> {
  const isTagged = descriptor.digest === root.digest && tag !== undefined;
  await client.putManifest(context, repository, {
    ...(isTagged ? { tag } : {}),
    bytes: new Uint8Array(bytes),
    mediaType: descriptor.mediaType,
  });
}

async function pushBlob(
  context: Context,
  content: ImageContent,
  blob: Descriptor,
  { client, repository, mountFrom }: PushTarget,
): Promise<"sent" | "mounted" | "present" | "foreign"> {
  const { digest, sizeBytes } = blob;
  const bytes = content.blob(blob);
  if (isForeignLayer(blob) && !(await isHad(context, bytes))) return "foreign";
  const from = mountFrom.get(digest);
  for (let attempt = 1; ; attempt++) {
    const upload = {
      digest,
      sizeBytes,
      content: streamOf(bytes, context),
      ...(from === undefined || from === repository ? {} : { mountFrom: from }),
    };
    try {
      return await client.uploadBlob(context, repository, upload);
    } catch (cause) {
      // A body that was cut off cannot be gone on with, only sent again.
      if (attempt === ATTEMPTS || !isAppError(cause, "UNREACHABLE")) throw cause;
      context.log.info("an upload was cut off and is sent again", { digest, attempt });
    }
  }
}

/** A registry may take an image without its foreign layers (image-spec, "Non-Distributable Layers"); where they can be had they go along. */
async function isHad(context: Context, bytes: ByteSource): Promise<boolean> {
  if (bytes.sizeBytes === 0) return false;
  try {
    await bytes.read(0, 1, context);
    return true;
  } catch (cause) {
    if (isAppError(cause, "BLOB_UNKNOWN")) return false;
    throw cause;
  }
}
