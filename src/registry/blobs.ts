import { AppError } from "#core";
import { parseDigest } from "#oci";
import type { Answer } from "./answers.ts";
import type { Exchange, Parts } from "./exchange.ts";
import { hasBytes } from "./has-bytes.ts";
import { rememberAnswer } from "./remember.ts";
import { sendAnswer } from "./send-answer.ts";
import { accepted } from "./success.ts";

/** GET and HEAD of a blob, through the link of this repository alone. */
export async function getBlob(
  parts: Parts,
  exchange: Exchange,
  repository: string,
  text: string,
): Promise<Response> {
  const digest = parseDigest(text).text;
  const place = await parts.catalog.content.findBlob(repository, digest);
  if (place === undefined) throw blobUnknown(repository, digest);
  if (!(await hasBytes(parts, place))) {
    parts.log.error("the bytes of a blob are lost: push it again", { repository, digest });
    throw blobUnknown(repository, digest);
  }
  const isHead = exchange.request.method === "HEAD";
  const sizeBytes = place.kind === "object" ? place.sizeBytes : place.bytes.length;
  const whole = place.kind === "object" ? parts.blobs.open(place) : place.bytes;
  const etag = `"${digest}"`;
  const answer: Answer = {
    repository,
    etag,
    sizeBytes,
    ranges: true,
    body: isHead ? undefined : whole,
    headers: {
      "content-type": "application/octet-stream",
      "content-length": String(sizeBytes),
      "docker-content-digest": digest,
      etag,
      "accept-ranges": "bytes",
      // Our own: Bun would put the file's name here. And nothing that somebody pushed is a page of ours.
      "content-disposition": "attachment",
      "x-content-type-options": "nosniff",
    },
  };
  rememberAnswer(parts, exchange, answer);
  return sendAnswer(answer, exchange.request);
}

/** DELETE of a blob: this repository's link to it. */
export async function deleteBlob(parts: Parts, repository: string, text: string): Promise<Response> {
  const digest = parseDigest(text).text;
  const outcome = await parts.catalog.content.deleteBlob(repository, digest);
  if (outcome === "unknown") throw blobUnknown(repository, digest);
  if (outcome === "used")
    throw new AppError("UNSUPPORTED", `a manifest of ${repository} needs the blob ${digest}`, {
      hint: "delete the manifest first",
    });
  return accepted();
}

function blobUnknown(repository: string, digest: string): AppError {
  return new AppError("BLOB_UNKNOWN", `${repository} holds no blob ${digest}`);
}
