import { AppError, type Context } from "#core";
import { isDigest } from "#oci";
import { fetchFailure } from "#system";
import { hasBlob } from "./blobs.ts";
import type { Connection } from "./connection.ts";
import type { BlobUpload, RegistryAnswer, RegistryRequest } from "./contract.ts";
import { pullScope, pushScope } from "./scopes.ts";

const MAX_RECOVERIES = 5;
/** Registries that copy a blob into its place answer the last PUT late. */
const COMMIT_TIMEOUT_MS = 900_000;

/** Where an upload stands: its address, and the size of chunks that the registry asks for. */
interface Started {
  readonly location: string;
  readonly chunkMinBytes: number;
}

export async function uploadBlob(
  context: Context,
  connection: Connection,
  repository: string,
  upload: BlobUpload,
): Promise<"present" | "mounted" | "sent"> {
  if (await hasBlob(context, connection, repository, upload.digest)) return "present";
  const started = await startUpload(context, connection, repository, upload);
  if (started === "mounted") return "mounted";
  const scopes = [pushScope(repository)];
  const { content } = upload;
  if (content instanceof Blob && content.size !== upload.sizeBytes) {
    throw new AppError("SIZE_INVALID", "the content does not have the size that was said");
  }
  if (content instanceof Blob && upload.chunkBytes !== undefined) {
    const chunkBytes = Math.max(upload.chunkBytes, started.chunkMinBytes);
    const location = await sendChunks(context, connection, scopes, {
      content,
      chunkBytes,
      location: started.location,
    });
    await commit(context, connection, repository, { ...upload, location, content: undefined });
  } else {
    await commit(context, connection, repository, { ...upload, location: started.location });
  }
  return "sent";
}

export async function mountBlob(
  context: Context,
  connection: Connection,
  repository: string,
  mount: { readonly digest: string; readonly mountFrom: string },
): Promise<boolean> {
  const started = await startUpload(context, connection, repository, mount);
  if (started === "mounted") return true;
  // The registry began an upload instead (spec: 202). It is not wanted; one that will not cancel it lets it expire.
  const answer = await connection.send(context, {
    method: "DELETE",
    url: started.location,
    scopes: [pushScope(repository)],
    isRepeatable: false,
  });
  await answer.discard();
  return false;
}

async function startUpload(
  context: Context,
  connection: Connection,
  repository: string,
  upload: { readonly digest: string; readonly mountFrom?: string },
): Promise<Started | "mounted"> {
  const { digest, mountFrom } = upload;
  const mount =
    mountFrom === undefined
      ? ""
      : `?mount=${encodeURIComponent(digest)}&from=${encodeURIComponent(mountFrom)}`;
  const answer = await connection.send(context, {
    method: "POST",
    url: `/v2/${repository}/blobs/uploads/${mount}`,
    scopes: mountFrom === undefined ? [pushScope(repository)] : [pushScope(repository), pullScope(mountFrom)],
    isRepeatable: true,
  });
  if (answer.status === 201 && mountFrom !== undefined) {
    await answer.discard();
    return "mounted";
  }
  if (answer.status !== 202) throw await connection.refusal(answer, `push to ${repository}`);
  await answer.discard();
  const location = locationOf(answer);
  if (location === undefined) {
    throw new AppError("REGISTRY_FAILED", `${connection.registry} began an upload without saying where`);
  }
  const least = answer.headers.get("oci-chunk-min-length") ?? "";
  return { location, chunkMinBytes: /^\d{1,10}$/.test(least) ? Number(least) : 0 };
}

/** Sends the chunks; after a 416 or a cut connection the registry says how far it is. Gives the last location. */
async function sendChunks(
  context: Context,
  connection: Connection,
  scopes: readonly string[],
  sending: { readonly content: Blob; readonly chunkBytes: number; readonly location: string },
): Promise<string> {
  const { content, chunkBytes } = sending;
  let { location } = sending;
  let offset = 0;
  let recoveries = 0;
  while (offset < content.size) {
    const end = Math.min(offset + chunkBytes, content.size);
    const answer = await sendOnce(context, connection, {
      method: "PATCH",
      url: location,
      scopes,
      headers: {
        "content-type": "application/octet-stream",
        "content-range": `${offset}-${end - 1}`,
      },
      body: content.slice(offset, end),
      isRepeatable: false,
    });
    // 201 and 204 where the spec says 202: seen in the wild, taken by ggcr.
    if (answer !== undefined && [201, 202, 204].includes(answer.status)) {
      await answer.discard();
      location = locationOf(answer) ?? location;
      // Only a gain counts: `0-0` may mean nothing or one byte, and no answer may lead us round in circles.
      const held = rangeEnd(answer) ?? end;
      offset = held > offset ? held : end;
      continue;
    }
    if (answer !== undefined && answer.status !== 416) {
      throw await connection.refusal(answer, "take a chunk of a blob");
    }
    await answer?.discard();
    if (++recoveries > MAX_RECOVERIES) {
      throw new AppError("UNREACHABLE", `the upload to ${connection.registry} was cut off again and again`);
    }
    const status = await connection.send(context, {
      method: "GET",
      url: location,
      scopes,
      isRepeatable: true,
    });
    if (status.status !== 204) throw await connection.refusal(status, "say how far an upload is");
    await status.discard();
    location = locationOf(status) ?? location;
    offset = rangeEnd(status) ?? 0;
  }
  return location;
}

async function commit(
  context: Context,
  connection: Connection,
  repository: string,
  upload: {
    readonly digest: string;
    readonly sizeBytes: number;
    readonly location: string;
    readonly content: Blob | ReadableStream<Uint8Array> | undefined;
  },
): Promise<void> {
  const { content, digest, location } = upload;
  // Appended as text: what is in the query already (states, signatures) must come back byte for byte.
  const separator = location.includes("?") ? "&" : "?";
  const answer = await sendOnce(context, connection, {
    method: "PUT",
    url: `${location}${separator}digest=${encodeURIComponent(digest)}`,
    scopes: [pushScope(repository)],
    headers: {
      "content-type": "application/octet-stream",
      ...(content instanceof ReadableStream ? { "content-length": String(upload.sizeBytes) } : {}),
    },
    ...(content === undefined ? {} : { body: content }),
    answerTimeoutMs: COMMIT_TIMEOUT_MS,
    isRepeatable: false,
  });
  if (answer === undefined) {
    // The answer was lost; the blob may be there all the same.
    if (await hasBlob(context, connection, repository, digest)) return;
    throw new AppError("UNREACHABLE", `${connection.registry} closed the connection during an upload`, {
      details: { registry: connection.registry, failure: "reset" },
    });
  }
  if (answer.status < 200 || answer.status > 299) {
    throw await connection.refusal(answer, `push a blob to ${repository}`);
  }
  await answer.discard();
  const said = answer.headers.get("docker-content-digest");
  if (said !== null && isDigest(said) && said !== digest && said.startsWith(digest.slice(0, 7))) {
    throw new AppError("DIGEST_INVALID", `${connection.registry} stored another blob than was sent`);
  }
}

/** undefined when the connection was cut in the middle. */
async function sendOnce(
  context: Context,
  connection: Connection,
  request: RegistryRequest,
): Promise<RegistryAnswer | undefined> {
  try {
    return await connection.send(context, request);
  } catch (error) {
    if (fetchFailure(error) === "reset") return undefined;
    throw error;
  }
}

/** Absolute; relative ones begin at the URL that answered. */
function locationOf(answer: RegistryAnswer): string | undefined {
  const location = answer.headers.get("location");
  return location === null ? undefined : URL.parse(location, answer.url)?.href;
}

/** How many bytes the registry has, from `Range: 0-N`; undefined where it does not say. */
function rangeEnd(answer: RegistryAnswer): number | undefined {
  const last = /^(?:bytes=)?0-(\d{1,15})$/.exec(answer.headers.get("range") ?? "")?.[1];
  // `0-0` means one byte or none: nobody sends one-byte chunks but by choice, so it is taken for "nothing yet".
  return last === undefined ? undefined : last === "0" ? 0 : Number(last) + 1;
}
