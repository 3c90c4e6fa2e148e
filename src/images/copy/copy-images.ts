import { AppError, type Context } from "#core";
import { isForeignLayer } from "#oci";
import { isThere } from "#system";
import { holdBlobs } from "../cache/running-pulls.ts";
import type { ByteSource, ImageContent } from "../contract.ts";
import { writeDockerArchive } from "../formats/docker-archive/write-docker-archive.ts";
import type { LayoutItem } from "../formats/oci-layout/layout-item.ts";
import { writeLayoutArchive } from "../formats/oci-layout/write-layout-archive.ts";
import { writeLayoutFolder } from "../formats/oci-layout/write-layout-folder.ts";
import { innerName } from "../pull-target.ts";
import { createLocalFileSink } from "../sinks/local-file.ts";
import type { PlatformChoice } from "../sources/choose-platform.ts";
import { openSource, type SourceSurroundings } from "../sources/open-source.ts";
import { openView } from "../sources/open-view.ts";
import { type CopyDestination, placeInRegistry } from "./copy-destination.ts";
import { type CopySource, openSifContent } from "./copy-source.ts";
import { type ImageGraph, readGraph, withReferrers } from "./image-graph.ts";
import { type PushOutcome, pushGraph } from "./push-graph.ts";

export interface CopyRequest {
  readonly sources: readonly CopySource[];
  readonly destination: CopyDestination;
  /** `all`: whole indexes. */
  readonly wanted: PlatformChoice | "all";
  readonly hasReferrers: boolean;
  /** An archive that is there is replaced. */
  readonly isForced: boolean;
}

/** What became of one image. */
export interface CopiedImage {
  readonly source: string;
  /** Its name there: `registry/repository:tag`, or the name in an archive; undefined for none. */
  readonly name: string | undefined;
  readonly digest: string | undefined;
  /** What a registry was sent. */
  readonly push: PushOutcome | undefined;
  /** Layers that were not taken along, because their makers keep them elsewhere. */
  readonly foreignLayers: number;
  /** Why it is not there: of several images for a registry the others are all the same. */
  readonly error: AppError | undefined;
}

export interface CopySurroundings extends SourceSurroundings {
  /** Bytes of blobs: how many there are of the images that were looked at, how many of them were read. */
  readonly onProgress?: (progress: { readonly totalBytes: number; readonly readBytes: number }) => void;
}

/** An image, open. */
interface Opened extends LayoutItem {
  readonly source: CopySource;
}

/**
 * Copies images, bytes and digests unchanged (docker's archive alone has its layers uncompressed). Into an archive or layout all or none; into a
 * registry one after the other, those that fail with their errors. Throws ALREADY_EXISTS, USAGE, INTERRUPTED, and what source and destination throw.
 */
export async function copyImages(
  context: Context,
  request: CopyRequest,
  surroundings: CopySurroundings,
): Promise<readonly CopiedImage[]> {
  const { destination, sources } = request;
  const held = await holdBlobs(surroundings.cache);
  const opened: Opened[] = [];
  const openNext = async (source: CopySource): Promise<Opened> => {
    const item = await open(context, request, source, { ...surroundings, ...meter });
    opened.push(item);
    await held.hold(item.graph.blobs.map(({ digest }) => digest));
    return item;
  };
  const meter = createMeter(surroundings.onProgress);
  try {
    if (destination.kind === "registry") {
      refuseSamePlaces(sources, destination);
      const copied: CopiedImage[] = [];
      for (const source of sources) {
        const work = async (): Promise<CopiedImage> =>
          push(context, destination, await openNext(source), surroundings);
        copied.push(sources.length === 1 ? await work() : await collected(source, work));
        await opened.pop()?.content.close();
      }
      return copied;
    }
    if (destination.kind !== "oci-layout" && !request.isForced) await refuseThere(destination.path);
    for (const source of sources) await openNext(source);
    await writeFile(context, request, destination, opened);
    return opened.map(({ source, graph, name }) => ({
      source: source.text,
      name,
      digest: graph.root.digest,
      push: undefined,
      foreignLayers: destination.kind === "docker-archive" ? 0 : graph.blobs.filter(isForeignLayer).length,
      error: undefined,
    }));
  } finally {
    for (const { content } of opened) await content.close();
    await held.release();
  }
}

/** Below a prefix the registries of two images are gone from their names: neither may take the other's place. */
function refuseSamePlaces(
  sources: readonly CopySource[],
  destination: Extract<CopyDestination, { readonly kind: "registry" }>,
): void {
  const taken = new Map<string, string>();
  for (const source of sources) {
    const { repository, tag } = placeInRegistry(destination, nameOf(source));
    const place = `${repository}:${tag}`;
    const other = taken.get(place);
    if (other !== undefined)
      throw new AppError("USAGE", `${other} and ${source.text} would both become ${place}`, {
        hint: "copy one of them alone, to a name of its own",
      });
    taken.set(place, source.text);
  }
}

function nameOf(source: CopySource): string | undefined {
  return source.kind === "sif" ? undefined : innerName(source);
}

async function collected(source: CopySource, work: () => Promise<CopiedImage>): Promise<CopiedImage> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof AppError) || cause.code === "INTERRUPTED") throw cause;
    return {
      source: source.text,
      name: undefined,
      digest: undefined,
      push: undefined,
      foreignLayers: 0,
      error: cause,
    };
  }
}

interface Meter {
  readonly count: (content: ImageContent) => ImageContent;
  readonly expect: (graph: ImageGraph) => void;
}

function createMeter(onProgress: CopySurroundings["onProgress"] = () => undefined): Meter {
  let totalBytes = 0;
  let readBytes = 0;
  return {
    expect({ blobs }) {
      totalBytes += blobs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
      onProgress({ totalBytes, readBytes });
    },
    count: (content) => ({
      ...content,
      blob(descriptor) {
        const source = content.blob(descriptor);
        const read: ByteSource["read"] = async (offset, length, context) => {
          const piece = await source.read(offset, length, context);
          readBytes = Math.min(totalBytes, readBytes + piece.length);
          onProgress({ totalBytes, readBytes });
          return piece;
        };
        return { sizeBytes: source.sizeBytes, read };
      },
    }),
  };
}

async function open(
  context: Context,
  request: CopyRequest,
  source: CopySource,
  surroundings: SourceSurroundings & Meter,
): Promise<Opened> {
  const bare =
    source.kind === "sif"
      ? await openSifContent(source.path)
      : await openSource(context, source, surroundings);
  const content = surroundings.count(bare);
  try {
    const plain = await readGraph(context, content, source.kind === "sif" ? "all" : request.wanted);
    const graph = request.hasReferrers ? await withReferrers(context, content, plain) : plain;
    surroundings.expect(graph);
    const { destination } = request;
    const said = destination.kind === "registry" ? undefined : destination.image;
    return { content, graph, source, name: said ?? nameOf(source) };
  } catch (cause) {
    await content.close();
    throw cause;
  }
}

async function push(
  context: Context,
  destination: Extract<CopyDestination, { readonly kind: "registry" }>,
  { content, graph, source, name }: Opened,
  surroundings: SourceSurroundings,
): Promise<CopiedImage> {
  const { registry } = destination.reference;
  const { repository, tag } = placeInRegistry(destination, name);
  const reference = { registry, repository, ...(tag === undefined ? {} : { tag }) };
  const client = await surroundings.openRegistry(context, reference);
  const mountFrom = new Map<string, string>();
  if ("reference" in source && source.reference.registry === registry)
    for (const { digest } of graph.blobs) mountFrom.set(digest, source.reference.repository);
  const outcome = await pushGraph(context, content, graph, { client, repository, tag, mountFrom });
  const whole = `${registry}/${repository}${tag === undefined ? `@${graph.root.digest}` : `:${tag}`}`;
  return {
    source: source.text,
    name: whole,
    digest: graph.root.digest,
    push: outcome,
    foreignLayers: outcome.foreign,
    error: undefined,
  };
}

async function writeFile(
  context: Context,
  request: CopyRequest,
  destination: Exclude<CopyDestination, { readonly kind: "registry" }>,
  items: readonly Opened[],
): Promise<void> {
  if (destination.kind === "oci-layout") {
    await writeLayoutFolder(items, destination.path, context);
    await settle(items);
    return;
  }
  const sink = await createLocalFileSink(destination.path, { mode: 0o644 });
  try {
    const { sizeBytes } =
      destination.kind === "oci-archive"
        ? await writeLayoutArchive(items, sink, context)
        : await writeDockerArchive(await dockerImages(context, request, items), sink, context);
    await settle(items);
    await sink.finish(sizeBytes);
  } catch (cause) {
    await sink.abort();
    throw cause;
  }
}

async function dockerImages(context: Context, { wanted }: CopyRequest, items: readonly Opened[]) {
  if (wanted === "all")
    throw new AppError("USAGE", "an archive for docker load holds one platform of each image", {
      hint: "choose it with --platform, or write an oci-archive",
    });
  const images = [];
  for (const { content, name } of items)
    images.push({
      view: await openView(context, content, wanted),
      tags: name === undefined || !name.includes(":") ? [] : [name],
    });
  return images;
}

async function settle(
  items: readonly { readonly content: ImageContent; readonly graph: ImageGraph }[],
): Promise<void> {
  for (const { content } of items) await content.settle();
}

async function refuseThere(path: string): Promise<void> {
  if (await isThere(path))
    throw new AppError("ALREADY_EXISTS", `${path} is there already`, {
      hint: "name another file, or replace it with --force",
    });
}
