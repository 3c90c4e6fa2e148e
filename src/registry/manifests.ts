import type { ManifestRow } from "#catalog";
import { AppError } from "#core";
import {
  digestOf,
  isDigest,
  MAX_MANIFEST_BYTES,
  type Manifest,
  parseDigest,
  parseManifest,
  parseTag,
  referrerArtifactType,
} from "#oci";
import type { Answer } from "./answers.ts";
import { convertOnPush } from "./convert-on-push.ts";
import { findConverted } from "./converted-tag.ts";
import type { Exchange, Parts } from "./exchange.ts";
import { MAX_TAGS_PER_PUSH } from "./limits.ts";
import { announcedBytes, readBody } from "./read-body.ts";
import { rememberAnswer } from "./remember.ts";
import { sendAnswer } from "./send-answer.ts";
import { accepted, created } from "./success.ts";
import { renderAccount } from "./upload-ids.ts";
import { expiryWarning } from "./warnings.ts";

const MEDIA_TYPE = /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$/;
// A browser shows none of these as a page; for others a pushed manifest could be one, on the origin of the portal.
const HARMLESS_TYPE = /^application\/(?:vnd\.[A-Za-z0-9.+-]*\+json|json)$/;

/** GET and HEAD of a manifest by tag or digest. What was pushed is served whatever `Accept` says: clients that cannot read it say so. */
export async function getManifest(
  parts: Parts,
  exchange: Exchange,
  repository: string,
  reference: string,
): Promise<Response> {
  const row =
    (await findManifest(parts, repository, reference)) ??
    (await findConverted(parts, repository, reference, exchange.request.signal));
  if (row === undefined) throw manifestUnknown(repository, reference);
  const etag = `"${row.digest}"`;
  const answer: Answer = {
    repository,
    etag,
    sizeBytes: row.body.length,
    ranges: false,
    body: exchange.request.method === "HEAD" ? undefined : row.body,
    headers: {
      "content-type": row.mediaType,
      "content-length": String(row.body.length),
      "docker-content-digest": row.digest,
      etag,
      ...(HARMLESS_TYPE.test(row.mediaType)
        ? {}
        : { "content-security-policy": "sandbox", "x-content-type-options": "nosniff" }),
      ...expiryWarning(exchange.caller, parts.clock.now()),
    },
  };
  rememberAnswer(parts, exchange, answer);
  return sendAnswer(answer, exchange.request);
}

/** PUT of a manifest by tag or digest, with more tags in `?tag=` (distribution-spec, end-7b): one commit. */
export async function putManifest(
  parts: Parts,
  exchange: Exchange,
  repository: string,
  reference: string,
): Promise<Response> {
  const { request, query } = exchange;
  const isByDigest = reference.includes(":");
  const wanted = isByDigest ? parseDigest(reference) : undefined;
  const more = query.getAll("tag");
  if (more.length > MAX_TAGS_PER_PUSH)
    throw new AppError("INVALID_INPUT", `more than ${MAX_TAGS_PER_PUSH} tags in one push`);
  const tags = [...new Set([...(isByDigest ? [] : [reference]), ...more])].map(parseTag);

  const body = await readManifest(parts, exchange);
  const manifest = parseManifest(body, request.headers.get("content-type"));
  if (!MEDIA_TYPE.test(manifest.mediaType))
    throw new AppError("MANIFEST_INVALID", "the manifest's media type is none");
  const digest = digestOf(body, wanted?.algorithm);
  if (wanted !== undefined && wanted.text !== digest)
    throw new AppError("DIGEST_INVALID", `the manifest has the digest ${digest}, not ${wanted.text}`);

  await parts.catalog.content.putManifest(
    repository,
    {
      digest,
      mediaType: manifest.mediaType,
      body,
      artifactType: referrerArtifactType(manifest),
      subject: manifest.subject?.digest,
      annotations: manifest.annotations,
      references: referencesOf(manifest),
    },
    tags,
  );
  if (tags.length > 0) await convertOnPush(parts, repository, { digest, manifest });
  return created(`/v2/${repository}/manifests/${isByDigest ? digest : reference}`, digest, {
    ...(manifest.subject === undefined ? {} : { "oci-subject": manifest.subject.digest }),
    ...(more.length === 0 ? {} : { "oci-tag": more.join(", ") }),
    ...expiryWarning(exchange.caller, parts.clock.now()),
  });
}

/** A large one takes a place among the uploads: it lies in memory until its sender is done, however slow. */
function readManifest(parts: Parts, { request, caller }: Exchange): Promise<Uint8Array<ArrayBuffer>> {
  const read = () => readBody(request, MAX_MANIFEST_BYTES, "the manifest");
  const announced = announcedBytes(request);
  if (announced !== undefined && announced <= parts.limits.maxMemoryBodyBytes) return read();
  return parts.gate.pass(renderAccount(caller.principal), read);
}

/** DELETE of a tag, or of a manifest with all its tags. */
export async function deleteManifest(parts: Parts, repository: string, reference: string): Promise<Response> {
  const { content } = parts.catalog;
  const outcome = reference.includes(":")
    ? await content.deleteManifest(repository, parseDigest(reference).text)
    : await content.deleteTag(repository, parseTag(reference));
  if (outcome !== "deleted") throw manifestUnknown(repository, reference);
  return accepted();
}

async function findManifest(
  parts: Parts,
  repository: string,
  reference: string,
): Promise<ManifestRow | undefined> {
  const { content } = parts.catalog;
  if (!reference.includes(":")) return content.findTag(repository, parseTag(reference));
  return isDigest(reference) ? content.findManifest(repository, reference) : undefined;
}

function referencesOf(manifest: Manifest) {
  const { blobs, manifests } = manifest.references;
  return [
    ...blobs.map(({ digest, required }) => ({ kind: "blob" as const, digest, required })),
    ...manifests.map(({ digest, required }) => ({ kind: "manifest" as const, digest, required })),
  ];
}

function manifestUnknown(repository: string, reference: string): AppError {
  const shown = reference.length > 150 ? `${reference.slice(0, 150)}…` : reference;
  return new AppError("MANIFEST_UNKNOWN", `${repository} holds no manifest ${JSON.stringify(shown)}`);
}
