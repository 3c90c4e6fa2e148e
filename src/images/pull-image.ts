import { dirname, resolve } from "node:path";
import { AppError, type Context, isAppError } from "#core";
import { isThere } from "#system";
import { electResult } from "./cache/elect-result.ts";
import type { CacheFolder } from "./cache/index.ts";
import {
  findResult,
  keepResult,
  nameResult,
  placeResult,
  type ResultFacts,
  type ResultKey,
} from "./cache/result-cache.ts";
import { holdBlobs } from "./cache/running-pulls.ts";
import type { ImageContent, ImageView, Sink } from "./contract.ts";
import type { FileFormat, FormatChoice, FormatOutcome, ImageFormat } from "./formats/contract.ts";
import { type ArtifactFile, findArtifact, writeArtifact } from "./pull-artifact.ts";
import { createPullMeter, type PullMeter, type PullProgress } from "./pull-meter.ts";
import { createLocalFileSink } from "./sinks/local-file.ts";
import { type PlatformChoice, renderPlatform } from "./sources/choose-platform.ts";
import { openSource, type SourceSurroundings } from "./sources/open-source.ts";
import { openView } from "./sources/open-view.ts";
import type { ImageSource } from "./sources/parse-source.ts";

export interface PullRequest {
  readonly source: ImageSource;
  readonly platform: PlatformChoice;
  readonly format: ImageFormat;
  readonly choice: FormatChoice;
  readonly target: PullTarget;
  /** What is there is replaced. */
  readonly isForced: boolean;
  /** The result may share its bytes on disk with those of other pulls, whatever its format. */
  readonly isShared: boolean;
  /** A result made before is taken, and this one is kept for others. */
  readonly keepsResults: boolean;
  /** For a program that only reads the result: its name leads to the bytes that are kept, and of many pulls at once one makes them. */
  readonly joint?: { readonly waitMs: number };
}

/** Where the result goes: a path of this machine, or a sink that leads elsewhere. */
export type PullTarget =
  | { readonly kind: "path"; readonly path: string }
  | { readonly kind: "sink"; readonly open: (mode: number) => Promise<Sink> };

export interface PullOutcome extends ResultFacts {
  readonly sizeBytes: number;
  /** `made`, or brought from a result of before. */
  readonly how: "made" | "clone" | "link" | "copy" | "symlink";
  /** What people should know of the result. */
  readonly notes: readonly string[];
}

export interface PullSurroundings extends SourceSurroundings {
  readonly onProgress?: (progress: PullProgress) => void;
}

/**
 * Brings an image to where it is wanted, in a format. Nothing has the target's name before all of it is there and right. Of a result that was made
 * before, one request of the registry is all that is asked. Throws ALREADY_EXISTS, and what source, format and sink throw.
 */
export async function pullImage(
  context: Context,
  request: PullRequest,
  surroundings: PullSurroundings,
): Promise<PullOutcome> {
  await refuseOverwriting(request);
  const meter = createPullMeter(surroundings.onProgress);
  const content = await openSource(context, request.source, {
    ...surroundings,
    transfer: { ...surroundings.transfer, onBytes: meter.onBytes },
  });
  const held = await holdBlobs(surroundings.cache);
  try {
    return await pullContent(context, request, {
      content,
      cache: surroundings.cache,
      meter,
      hold: (digests) => held.hold(digests),
    });
  } catch (cause) {
    throw await withoutDamage(cause, content);
  } finally {
    await content.close();
    await held.release();
  }
}

const DAMAGE: ReadonlySet<string> = new Set(["DIGEST_INVALID", "IMAGE_INVALID", "SIZE_INVALID"]);

/** Bytes that went bad in the cache look like a bad image: they go, and whoever hears of it knows what to do. */
async function withoutDamage(cause: unknown, content: ImageContent): Promise<unknown> {
  if (!isAppError(cause) || !DAMAGE.has(cause.code) || content.removeDamaged === undefined) return cause;
  const removed = await content.removeDamaged();
  if (removed === 0) return cause;
  return new AppError(cause.code, cause.message, {
    hint: "a blob of the image cache was damaged, and was removed: try again",
    ...(cause.details === undefined ? {} : { details: cause.details }),
    cause,
  });
}

interface Pulling {
  readonly content: ImageContent;
  readonly cache: CacheFolder;
  readonly meter: PullMeter;
  readonly hold: (digests: readonly string[]) => Promise<void>;
}

async function pullContent(context: Context, request: PullRequest, pulling: Pulling): Promise<PullOutcome> {
  const { content, cache } = pulling;
  const { format, target, joint } = request;
  const key = resultKey(request, content);
  // A folder's files may be changed one by one, and what goes elsewhere leaves nothing here.
  if (!request.keepsResults || format.kind !== "file" || target.kind !== "path")
    return (await makeResult(context, request, pulling)).outcome;
  const election =
    joint === undefined
      ? { kept: await findResult(context, cache, key), release: async () => undefined }
      : await electResult(context, cache, key, joint);
  try {
    if (election.kept === undefined) {
      const { outcome, isArtifact } = await makeResult(context, request, pulling);
      if (!isArtifact) await keepMade(context, cache, key, { ...outcome, path: target.path });
      return outcome;
    }
    const isShared = request.isShared || !format.isChangedInPlace;
    const how =
      joint === undefined
        ? await placeResult(cache, key, { path: target.path, mode: format.mode, isShared })
        : await nameResult(cache, key, target.path);
    return { ...election.kept, how, notes: [] };
  } finally {
    await election.release();
  }
}

/** The result is there and right whether it can be kept or not. */
async function keepMade(
  context: Context,
  cache: CacheFolder,
  key: ResultKey,
  { manifestDigest, platform, path }: ResultFacts & { readonly path: string },
): Promise<void> {
  await keepResult(context, cache, key, { manifestDigest, platform, path }).catch((cause: unknown) =>
    context.log.warn("the result is not kept for other pulls", { why: (cause as Error).message }),
  );
}

async function makeResult(
  context: Context,
  request: PullRequest,
  pulling: Pulling,
): Promise<{ readonly outcome: PullOutcome; readonly isArtifact: boolean }> {
  const { content } = pulling;
  const artifact = await findArtifact(context, content, request.source, request.platform);
  if (artifact !== undefined)
    return { outcome: await pullArtifact(context, request, pulling, artifact), isArtifact: true };
  const view = await openView(context, content, request.platform);
  await pulling.hold([view.config.digest, ...view.layers.map(({ descriptor }) => descriptor.digest)]);
  pulling.meter.begin(view.layers.map(({ descriptor }) => descriptor));
  const { sizeBytes, notes = [] } = await write(context, request, view, pulling);
  const manifestDigest = view.manifest.descriptor.digest;
  const platform = renderPlatform(view.config.platform);
  return { outcome: { manifestDigest, platform, sizeBytes, notes, how: "made" }, isArtifact: false };
}

/** A file that is what was wanted already. */
async function pullArtifact(
  context: Context,
  request: PullRequest,
  pulling: Pulling,
  artifact: ArtifactFile,
): Promise<PullOutcome> {
  const { format, source } = request;
  const { blob, manifestDigest } = artifact;
  if (format.kind === "folder" || (artifact.isSif && format.name !== "sif"))
    throw new AppError("USAGE", `${source.text} is a file, and is not written as ${format.name}`, {
      hint: artifact.isSif ? "it is a SIF: end OUT in .sif" : "name a file",
    });
  await pulling.hold([blob.digest]);
  pulling.meter.begin([blob]);
  const { sizeBytes } = await intoSink(request, format, pulling, (sink) =>
    writeArtifact(context, pulling.content, artifact, sink),
  );
  // What it is for is nobody's business but the file's.
  const platform = renderPlatform(request.platform.platform);
  return { manifestDigest, platform, sizeBytes, notes: [], how: "made" };
}

async function write(
  context: Context,
  request: PullRequest,
  view: ImageView,
  pulling: Pulling,
): Promise<FormatOutcome> {
  const { content } = pulling;
  const { format, target, choice, platform } = request;
  const image = { view, content, platform };
  if (format.kind === "folder") {
    if (target.kind === "sink")
      throw new AppError("USAGE", `${format.name} is written as a folder of this machine`);
    const written = await format.write(context, image, target.path, choice);
    await content.settle();
    return written;
  }
  return intoSink(request, format, pulling, (sink) => format.write(context, image, sink, choice));
}

/** The sink is finished when all that was read is whole and right, else nothing is left of it. */
async function intoSink(
  { target }: PullRequest,
  { mode }: FileFormat,
  { content, meter }: Pulling,
  work: (sink: Sink) => Promise<FormatOutcome>,
): Promise<FormatOutcome> {
  const sink =
    target.kind === "sink" ? await target.open(mode) : await createLocalFileSink(target.path, { mode });
  try {
    const written = await work(meter.metered(sink));
    meter.finish();
    await content.settle();
    await sink.finish(written.sizeBytes);
    return written;
  } catch (cause) {
    await sink.abort();
    throw cause;
  }
}

function resultKey({ source, platform, format, choice }: PullRequest, content: ImageContent): ResultKey {
  const asked = renderPlatform(platform.platform);
  return {
    digest: content.root.digest,
    platform: platform.isAsked ? asked : `${asked} or what is there`,
    format: format.name,
    settings: format.settings(choice),
    name: source.text,
  };
}

async function refuseOverwriting({ target, isForced, format }: PullRequest): Promise<void> {
  if (target.kind === "sink") return;
  const path = resolve(target.path);
  const folder = dirname(path);
  if (!(await isThere(folder)))
    throw new AppError("NOT_FOUND", `the folder ${folder} is not there`, { hint: "make it first" });
  // A folder's format knows what it may add to.
  if (format.kind === "folder" || !(await isThere(path))) return;
  if (!isForced)
    throw new AppError("ALREADY_EXISTS", `${path} is there already`, {
      hint: "name another file, or replace it with --force",
    });
}
