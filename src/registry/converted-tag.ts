import { type ConvertedFormat, createConversionJob, type Job, type ManifestRow } from "#catalog";
import { AppError } from "#core";
import { wait } from "#system";
import type { Parts } from "./exchange.ts";
import { chooseImage, formatsOf, isImage, parseStored } from "./image-of-manifest.ts";

const CONVERTED_TAG = /^(.+)\.(sif|sqsh)$/;
const WITH_ARCHITECTURE = /^(.+)\.([a-z0-9_]{1,20}(?:-v\d)?)$/;
const FIRST_LOOK_MS = 50;
const LAST_LOOK_MS = 1000;
const RETRY_AFTER_SECONDS = 5;

interface Wanted {
  readonly repository: string;
  /** Digest of the image's manifest. */
  readonly source: string;
  readonly format: ConvertedFormat;
}

/**
 * The SIF or squashfs of a tag: `TAG.sif`, `TAG.sqsh`, with an architecture `TAG.arm64.sif`. Where it is not made yet, it is asked for and waited
 * for. undefined where the project does not make them, or there is no such image. For callers who may pull from the repository; a pushed tag of
 * that name comes first, so look for that before.
 * Throws BUSY when it takes longer, and MANIFEST_UNKNOWN with the reason for an image that cannot be converted.
 */
export async function findConverted(
  parts: Parts,
  repository: string,
  tag: string,
  signal: AbortSignal,
): Promise<ManifestRow | undefined> {
  const { content } = parts.catalog;
  const wanted = await findWanted(parts, repository, tag);
  if (wanted === undefined) return undefined;
  const made = await content.findConversion(repository, wanted.source, wanted.format);
  if (made !== undefined) return made;
  const { catalog } = parts;
  const job = await enqueue(parts, wanted);
  if (job === undefined) return undefined;
  let left = parts.conversionWaitMs;
  // Seldom once it takes long: a thousand nodes wait for the same one.
  for (let pauseMs = FIRST_LOOK_MS; ; pauseMs = Math.min(LAST_LOOK_MS, pauseMs * 2)) {
    // The job is looked at first: when it is gone by then, its result is there or never will be.
    const now = catalog.read(() => catalog.jobs.find(job.kind, job.key));
    const result = await content.findConversion(repository, wanted.source, wanted.format);
    if (result !== undefined || now === undefined) return result;
    if (now.state === "failed") throw notConvertible(now, `${repository}:${tag}`);
    if (left <= 0) throw stillBeingMade(`${repository}:${tag}`);
    await waitFor(Math.min(pauseMs, left), signal);
    left -= pauseMs;
  }
}

/** A write for the first who asks, a read for the others. */
async function enqueue({ catalog, onJob }: Parts, wanted: Wanted): Promise<Job | undefined> {
  const asked = createConversionJob(wanted);
  const known = catalog.read(() => catalog.jobs.find(asked.kind, asked.key));
  if (known !== undefined && known.state !== "failed") return known;
  const job = await catalog.write([], () => catalog.jobs.enqueue(asked));
  onJob();
  return job;
}

async function waitFor(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await wait(ms, signal);
  } catch (cause) {
    throw new AppError("INTERRUPTED", "the client went away", { cause });
  }
}

async function findWanted(parts: Parts, repository: string, tag: string): Promise<Wanted | undefined> {
  const [, base, format] = CONVERTED_TAG.exec(tag) ?? [];
  if (base === undefined || (format !== "sif" && format !== "sqsh")) return undefined;
  const { catalog } = parts;
  const project = catalog.read(() => catalog.projects.find(repository.split("/", 1)[0] ?? ""));
  if (project === undefined || !formatsOf(project.convert).includes(format)) return undefined;
  // `v1.2.sif` is of v1.2 where there is one, and of nobody's architecture 2.
  const [, shorter, architecture] = WITH_ARCHITECTURE.exec(base) ?? [];
  const source =
    (await findImage(parts, repository, base, undefined)) ??
    (shorter === undefined ? undefined : await findImage(parts, repository, shorter, architecture));
  return source === undefined ? undefined : { repository, source, format };
}

/** Digest of the image that a tag means; undefined for what is none. */
async function findImage(
  { catalog }: Parts,
  repository: string,
  tag: string,
  architecture: string | undefined,
): Promise<string | undefined> {
  const row = await catalog.content.findTag(repository, tag);
  if (row === undefined) return undefined;
  const manifest = parseStored(row);
  if (manifest.kind !== "index")
    return architecture === undefined && isImage(manifest) ? row.digest : undefined;
  const chosen = chooseImage(manifest, architecture);
  const image = chosen && (await catalog.content.findManifest(repository, chosen.digest));
  return image !== undefined && isImage(parseStored(image)) ? image.digest : undefined;
}

/** A 404, for nothing can be had under this name and nobody should try again by himself. */
function notConvertible({ error }: Job, name: string): AppError {
  return new AppError("MANIFEST_UNKNOWN", `${name} cannot be made: ${error?.message}`, {
    hint: "pull the image itself, or ask a maintainer of the project",
  });
}

function stillBeingMade(name: string): AppError {
  return new AppError("BUSY", `${name} is being made of its image`, {
    hint: "ask again in some seconds; it is made once and stays",
    details: { retryAfterSeconds: RETRY_AFTER_SECONDS },
  });
}
