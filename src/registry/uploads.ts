import type { BlobPlace } from "#catalog";
import { AppError, type Secret, toAppError } from "#core";
import { type Digest, digestOf, isDigest, isRepositoryName, parseDigest } from "#oci";
import type { Exchange, Parts } from "./exchange.ts";
import { hasBytes } from "./has-bytes.ts";
import { mountBlob } from "./mount.ts";
import { parseChunkRange, renderUploadRange } from "./range.ts";
import { announcedBytes, readBody } from "./read-body.ts";
import { created } from "./success.ts";
import { createUploadId, parseUploadId, renderAccount, type UploadId } from "./upload-ids.ts";

/** POST: a mount (end-11), a whole blob (end-4b), or the beginning of an upload (end-4a, end-4c). */
export async function startUpload(parts: Parts, exchange: Exchange, repository: string): Promise<Response> {
  const { query } = exchange;
  const mount = query.get("mount");
  if (mount !== null && isDigest(mount)) {
    const from = query.get("from");
    const source = from !== null && isRepositoryName(from) ? from : undefined;
    if (from === null || source !== undefined) {
      const isMounted = await mountBlob(parts, exchange.caller, { digest: mount, repository, source });
      if (isMounted) return created(`/v2/${repository}/blobs/${mount}`, mount);
    }
    // Whatever the reason: the answer does not tell whether the blob is anywhere.
  }
  const digest = query.get("digest");
  const algorithm = query.get("digest-algorithm") ?? undefined;
  if (algorithm !== undefined && algorithm !== "sha256" && algorithm !== "sha512")
    throw new AppError("DIGEST_INVALID", "the digest algorithm is not known here", {
      hint: "use sha256 or sha512",
    });
  const wanted = digest === null ? undefined : parseDigest(digest);
  const key = await parts.uploadKey();
  const owner = { repository, principal: exchange.caller.principal };
  const upload = createUploadId(key, owner, wanted?.algorithm ?? algorithm ?? "sha256", parts.clock.now());
  if (wanted !== undefined) return finishUpload(parts, exchange, repository, upload, wanted);
  return uploadAnswer(parts, repository, upload, 0);
}

/** PATCH: a chunk, or a stream of unknown length (end-5). */
export async function continueUpload(
  parts: Parts,
  exchange: Exchange,
  repository: string,
  id: string,
): Promise<Response> {
  const upload = await openUpload(parts, exchange, repository, id);
  const receivedBytes = await appendBody(parts, exchange, repository, upload);
  return uploadAnswer(parts, repository, upload, receivedBytes);
}

/** PUT: the end of an upload, with its last bytes or without (end-6). */
export async function endUpload(
  parts: Parts,
  exchange: Exchange,
  repository: string,
  id: string,
): Promise<Response> {
  const wanted = parseDigest(exchange.query.get("digest") ?? "");
  const upload = await openUpload(parts, exchange, repository, id);
  return finishUpload(parts, exchange, repository, upload, wanted);
}

/** GET: how much is there (end-13). */
export async function getUpload(
  parts: Parts,
  exchange: Exchange,
  repository: string,
  id: string,
): Promise<Response> {
  const upload = await openUpload(parts, exchange, repository, id);
  const receivedBytes = await receivedOf(parts, upload);
  return uploadAnswer(parts, repository, upload, receivedBytes, 204);
}

/** DELETE: the upload is dropped (end-14). */
export async function cancelUpload(
  parts: Parts,
  exchange: Exchange,
  repository: string,
  id: string,
): Promise<Response> {
  const upload = await openUpload(parts, exchange, repository, id);
  await parts.blobs.cancel(upload.name);
  parts.gate.end(upload.name);
  return new Response(null, { status: 204 });
}

async function openUpload(
  parts: Parts,
  exchange: Exchange,
  repository: string,
  id: string,
): Promise<UploadId> {
  const key: Secret = await parts.uploadKey();
  const upload = parseUploadId(key, { repository, principal: exchange.caller.principal }, id);
  const isOld = upload.startedAt + parts.limits.uploadLifeSeconds * 1000 < parts.clock.now();
  if (parts.gate.hasEnded(upload.name) || (isOld && (await parts.blobs.status(upload.name)) === undefined))
    throw new AppError("UPLOAD_UNKNOWN", "no such upload: it ended or expired", {
      hint: "start the upload again",
    });
  return upload;
}

/** An id that was given and has no bytes yet is an empty upload: starting one writes nothing. */
async function receivedOf(parts: Parts, upload: UploadId): Promise<number> {
  return (await parts.blobs.status(upload.name))?.receivedBytes ?? 0;
}

async function finishUpload(
  parts: Parts,
  exchange: Exchange,
  repository: string,
  upload: UploadId,
  wanted: Digest,
): Promise<Response> {
  const { request } = exchange;
  const announced = announcedBytes(request);
  const before = await receivedOf(parts, upload);
  const isSmall = before === 0 && announced !== undefined && announced <= parts.limits.maxMemoryBodyBytes;
  const place = isSmall
    ? await keepSmall(parts, request, repository, upload, wanted)
    : await keepLarge(parts, exchange, repository, upload, wanted);
  parts.gate.end(upload.name);
  const { surplus } = await linkOrRemove(parts, repository, wanted.text, place);
  if (surplus !== undefined) await keepOne(parts, repository, wanted.text, place);
  return created(`/v2/${repository}/blobs/${wanted.text}`, wanted.text);
}

async function keepSmall(
  parts: Parts,
  request: Request,
  repository: string,
  upload: UploadId,
  wanted: Digest,
): Promise<BlobPlace> {
  checkChunk(request, repository, upload, 0);
  const bytes = await readBody(request, parts.limits.maxMemoryBodyBytes, "the blob");
  const found = digestOf(bytes, wanted.algorithm);
  if (found !== wanted.text) {
    parts.gate.end(upload.name);
    throw new AppError("DIGEST_INVALID", `the content has the digest ${found}, not ${wanted.text}`, {
      hint: "upload the blob again",
    });
  }
  if (bytes.length <= parts.limits.maxInlineBlobBytes) return { kind: "inline", bytes };
  return parts.blobs.keep(bytes, wanted.text);
}

async function keepLarge(
  parts: Parts,
  exchange: Exchange,
  repository: string,
  upload: UploadId,
  wanted: Digest,
): Promise<BlobPlace> {
  const { request } = exchange;
  if (announcedBytes(request) !== 0)
    await appendBody(parts, exchange, repository, { ...upload, algorithm: wanted.algorithm });
  else checkChunk(request, repository, upload, await receivedOf(parts, upload));
  try {
    return await parts.blobs.finish(upload.name, wanted.text, {
      inlineBytes: parts.limits.maxInlineBlobBytes,
    });
  } catch (cause) {
    if (cause instanceof AppError && cause.code === "DIGEST_INVALID") parts.gate.end(upload.name);
    throw cause;
  }
}

/**
 * Where no row can be there, the bytes are nobody's and go. After any other failure they stay: an object too many does no harm, a row
 * without its object would.
 */
async function linkOrRemove(
  parts: Parts,
  repository: string,
  digest: string,
  place: BlobPlace,
): Promise<{ readonly surplus: string | undefined }> {
  try {
    return await parts.catalog.content.linkBlob(repository, digest, place);
  } catch (cause) {
    const isCertain = cause instanceof AppError && UNWRITTEN.has(cause.code);
    if (place.kind === "object" && isCertain) await removeSpare(parts, place.name);
    throw cause;
  }
}

/** The blob was there already, under another object: these bytes are not needed, unless those were lost. */
async function keepOne(parts: Parts, repository: string, digest: string, place: BlobPlace): Promise<void> {
  const known = await parts.catalog.content.findBlob(repository, digest);
  if (known === undefined || (await hasBytes(parts, known))) {
    if (place.kind === "object") await removeSpare(parts, place.name);
    return;
  }
  await parts.catalog.content.moveBlob(repository, digest, place);
  parts.log.warn("a blob whose bytes were lost was pushed again, and is whole", { repository, digest });
}

const UNWRITTEN: ReadonlySet<string> = new Set(["PROJECT_UNKNOWN", "STORAGE_FULL", "BUSY"]);

/** What the client asked for does not depend on it. */
async function removeSpare(parts: Parts, name: string): Promise<void> {
  try {
    await parts.blobs.remove(name);
  } catch (cause) {
    parts.log.warn("an object that nothing names could not be removed", {
      object: name,
      error: toAppError(cause),
    });
  }
}

async function appendBody(
  parts: Parts,
  exchange: Exchange,
  repository: string,
  upload: UploadId,
): Promise<number> {
  const { request, caller } = exchange;
  const before = await receivedOf(parts, upload);
  const startBytes = checkChunk(request, repository, upload, before);
  const announced = announcedBytes(request) ?? 0;
  if (before + announced > parts.limits.maxBlobBytes)
    throw new AppError("TOO_LARGE", `the blob is larger than ${parts.limits.maxBlobBytes} bytes`);
  const status = await parts.gate.pass(renderAccount(caller.principal), () =>
    parts.blobs.append(upload.name, request, {
      maxBytes: parts.limits.maxBlobBytes,
      algorithm: upload.algorithm,
      ...(startBytes === undefined ? {} : { startBytes }),
    }),
  );
  return status.receivedBytes;
}

/** A chunk must begin where the upload ends (416, with what is there) and be as long as it says. Gives where it begins, if it says. */
function checkChunk(
  request: Request,
  repository: string,
  upload: UploadId,
  receivedBytes: number,
): number | undefined {
  const range = parseChunkRange(request.headers.get("content-range"));
  if (range === undefined) return undefined;
  if (range === "invalid") throw new AppError("UPLOAD_INVALID", "content-range is not start-end");
  if (range.start !== receivedBytes)
    throw new AppError("RANGE_INVALID", `the upload holds ${receivedBytes} bytes`, {
      hint: "go on from there",
      details: { headers: uploadHeaders(repository, upload, receivedBytes) },
    });
  const announced = announcedBytes(request);
  if (announced !== undefined && announced !== range.end - range.start)
    throw new AppError("SIZE_INVALID", "content-range and content-length do not fit each other");
  return range.start;
}

function uploadHeaders(repository: string, upload: UploadId, receivedBytes: number): Record<string, string> {
  return {
    location: `/v2/${repository}/blobs/uploads/${upload.text}`,
    range: renderUploadRange(receivedBytes),
    "docker-upload-uuid": upload.name,
  };
}

function uploadAnswer(
  parts: Parts,
  repository: string,
  upload: UploadId,
  receivedBytes: number,
  status = 202,
): Response {
  const { minChunkBytes } = parts.blobs;
  return new Response(null, {
    status,
    headers: {
      ...uploadHeaders(repository, upload, receivedBytes),
      ...(minChunkBytes > 0 ? { "oci-chunk-min-length": String(minChunkBytes) } : {}),
    },
  });
}
