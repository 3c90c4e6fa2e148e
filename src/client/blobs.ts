import { createHash } from "node:crypto";
import { AppError, type Context } from "#core";
import { parseDigest } from "#oci";
import { fetchFailure } from "#system";
import type { Connection } from "./connection.ts";
import type { BlobWanted, FetchedBlob, RegistryAnswer } from "./contract.ts";
import { pullScope } from "./scopes.ts";

/** Attempts in a row that bring nothing, and attempts in all: a long pull may be cut often, a hostile one for ever. */
const MAX_FRUITLESS = 5;
const MAX_RESUMES = 100;

export async function hasBlob(
  context: Context,
  connection: Connection,
  repository: string,
  digest: string,
): Promise<boolean> {
  const answer = await connection.send(context, {
    method: "HEAD",
    url: blobPath(repository, digest),
    scopes: [pullScope(repository)],
    isRepeatable: true,
  });
  await answer.discard();
  if (answer.status === 404) return false;
  if (answer.status === 200) return true;
  throw await connection.refusal(answer, `look for a blob in ${repository}`);
}

export async function getBlob(
  context: Context,
  connection: Connection,
  repository: string,
  wanted: BlobWanted,
): Promise<FetchedBlob | undefined> {
  const { algorithm } = parseDigest(wanted.digest);
  const open = (from: number): Promise<RegistryAnswer> =>
    askBlob(context, connection, repository, {
      digest: wanted.digest,
      range: from > 0 ? `bytes=${from}-` : undefined,
    });
  const first = await open(0);
  if (first.status === 404) {
    await first.discard();
    return undefined;
  }
  if (first.status !== 200) throw await connection.refusal(first, `pull a blob of ${repository}`);
  const announced = lengthOf(first);
  if (wanted.sizeBytes !== undefined && announced !== undefined && announced !== wanted.sizeBytes) {
    await first.discard();
    throw wrongSize(connection.registry, wanted);
  }
  const sizeBytes = wanted.sizeBytes ?? announced;
  const blob = { digest: wanted.digest, ...(sizeBytes === undefined ? {} : { sizeBytes }) };
  const chunks = resumed(first, open, { blob, registry: connection.registry, context, from: 0 });
  return { sizeBytes, body: streamOf(checked(chunks, algorithm, blob, connection.registry)) };
}

/** GET of a blob, or of a range of it; the answer as it is. */
export function askBlob(
  context: Context,
  connection: Connection,
  repository: string,
  wanted: { readonly digest: string; readonly range: string | undefined },
): Promise<RegistryAnswer> {
  return connection.send(context, {
    method: "GET",
    url: blobPath(repository, wanted.digest),
    scopes: [pullScope(repository)],
    headers: wanted.range === undefined ? {} : { range: wanted.range },
    isRepeatable: true,
  });
}

/** The bytes of one blob, from byte `from` to its size, over as many connections as it takes. */
export async function* resumed(
  first: RegistryAnswer,
  open: (from: number) => Promise<RegistryAnswer>,
  about: {
    readonly blob: BlobWanted;
    readonly registry: string;
    readonly context: Context;
    readonly from: number;
  },
): AsyncGenerator<Uint8Array> {
  let answer = first;
  let received = about.from;
  let skip = 0;
  let fruitless = 0;
  for (let resumes = 0; ; resumes++) {
    const before = received;
    let failed: Error | undefined;
    try {
      for await (const chunk of answer.body) {
        const fresh = chunk.subarray(Math.min(skip, chunk.byteLength));
        skip -= chunk.byteLength - fresh.byteLength;
        received += fresh.byteLength;
        if (fresh.byteLength > 0) yield fresh;
      }
      if (received >= (about.blob.sizeBytes ?? 0)) return;
    } catch (error) {
      const failure = fetchFailure(error);
      if (failure !== "reset" && failure !== "timeout") throw error;
      failed = error as AppError;
    }
    fruitless = received > before ? 0 : fruitless + 1;
    if (fruitless > MAX_FRUITLESS || resumes >= MAX_RESUMES) {
      throw failed ?? wrongSize(about.registry, about.blob);
    }
    about.context.log.debug("resuming a blob", { digest: about.blob.digest, received });
    answer = await open(received);
    skip = await resumePoint(answer, received, about.registry);
  }
}

/** How many bytes to leave out: none where the registry continues, all that we have where it begins anew. */
export async function resumePoint(
  answer: RegistryAnswer,
  received: number,
  registry: string,
): Promise<number> {
  if (answer.status === 200) return received;
  const start = /^bytes (\d+)-/.exec(answer.headers.get("content-range") ?? "")?.[1];
  if (answer.status === 206 && Number(start) === received) return 0;
  await answer.discard();
  throw new AppError(
    "REGISTRY_FAILED",
    `${registry} answered ${answer.status} when a blob was to be resumed`,
    {
      details: { registry, status: answer.status },
    },
  );
}

/** The same chunks; throws at the end, before it is reached, unless they are the blob. */
async function* checked(
  chunks: AsyncIterable<Uint8Array>,
  algorithm: string,
  blob: BlobWanted,
  registry: string,
): AsyncGenerator<Uint8Array> {
  const hash = createHash(algorithm);
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.byteLength;
    if (length > (blob.sizeBytes ?? Number.MAX_SAFE_INTEGER)) throw wrongSize(registry, blob);
    hash.update(chunk);
    yield chunk;
  }
  const digest = `${algorithm}:${hash.digest("hex")}`;
  if (digest === blob.digest) return;
  throw new AppError("DIGEST_INVALID", `${registry} sent a blob of another digest`, {
    hint: "something between here and the registry changed it, or its storage is damaged",
    details: { registry, expected: blob.digest, digest },
  });
}

/** A stream that takes a chunk only when it is read; cancelling it lets the connection go. */
function streamOf(chunks: AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await chunks.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await chunks.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
}

export function blobPath(repository: string, digest: string): string {
  return `/v2/${repository}/blobs/${digest}`;
}

function lengthOf(answer: RegistryAnswer): number | undefined {
  const text = answer.headers.get("content-length");
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function wrongSize(registry: string, blob: BlobWanted): AppError {
  return new AppError("SIZE_INVALID", `${registry} sent a blob of another size`, {
    details: { registry, digest: blob.digest, expectedBytes: blob.sizeBytes },
  });
}
