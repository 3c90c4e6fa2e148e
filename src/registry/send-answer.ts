import { AppError } from "#core";
import type { Answer } from "./answers.ts";
import { parseByteRange } from "./range.ts";

/** Sends an answer: whole, in part (206), or not at all where the client has it (304). RANGE_INVALID for a part that is not there. */
export function sendAnswer(answer: Answer, request: Request): Response {
  const { headers } = request;
  if (headers.has("if-none-match") && matches(headers.get("if-none-match"), answer.etag))
    return new Response(null, { status: 304, headers: notModified(answer) });
  // RFC 9110, 14.2: a Range means something to a GET alone.
  if (answer.ranges && request.method === "GET" && headers.has("range")) return sendPart(answer, request);
  return new Response(answer.body, { headers: answer.headers });
}

function sendPart(answer: Answer, request: Request): Response {
  const ifRange = request.headers.get("if-range");
  const range =
    ifRange !== null && ifRange !== answer.etag
      ? undefined
      : parseByteRange(request.headers.get("range"), answer.sizeBytes);
  if (range === undefined) return new Response(answer.body, { headers: answer.headers });
  if (range === "unsatisfiable")
    throw new AppError("RANGE_INVALID", `the blob has ${answer.sizeBytes} bytes`, {
      details: { headers: { "content-range": `bytes */${answer.sizeBytes}` } },
    });
  const headers = {
    ...answer.headers,
    "content-range": `bytes ${range.start}-${range.end - 1}/${answer.sizeBytes}`,
    "content-length": String(range.end - range.start),
  };
  const body =
    answer.body instanceof Uint8Array
      ? answer.body.subarray(range.start, range.end)
      : answer.body?.slice(range.start, range.end, OCTETS);
  return new Response(body, { status: 206, headers });
}

const OCTETS = "application/octet-stream";

function notModified(answer: Answer): Record<string, string> {
  const digest = answer.headers["docker-content-digest"];
  return { etag: answer.etag, ...(digest === undefined ? {} : { "docker-content-digest": digest }) };
}

/** If-None-Match is a list; a weak tag matches as well (RFC 9110, 13.1.2). */
function matches(header: string | null, etag: string): boolean {
  return (header ?? "")
    .slice(0, 4096)
    .split(",")
    .some((part) => {
      const tag = part.trim();
      return tag === "*" || tag === etag || tag === `W/${etag}`;
    });
}
