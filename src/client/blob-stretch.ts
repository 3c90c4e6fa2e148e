import type { Context } from "#core";
import { parseDigest } from "#oci";
import { askBlob, resumed, resumePoint } from "./blobs.ts";
import type { Connection } from "./connection.ts";
import type { BlobStretch, BlobStretchWanted, RegistryAnswer } from "./contract.ts";

/** See `RegistryClient.getBlobStretch`. */
export async function getBlobStretch(
  context: Context,
  connection: Connection,
  repository: string,
  wanted: BlobStretchWanted,
): Promise<BlobStretch | undefined> {
  const { registry } = connection;
  const { text: digest } = parseDigest(wanted.digest);
  const { offset, lengthBytes, sizeBytes } = wanted;
  const isWhole = offset === 0 && lengthBytes === sizeBytes;
  const openTo =
    (end: number) =>
    (from: number): Promise<RegistryAnswer> =>
      askBlob(context, connection, repository, {
        digest,
        range: isWhole && from === 0 ? undefined : `bytes=${from}-${end - 1}`,
      });
  const end = offset + lengthBytes;
  const first = await openTo(end)(offset);
  if (first.status === 404) {
    await first.discard();
    return undefined;
  }
  if (first.status !== 200 && first.status !== 206)
    throw await connection.refusal(first, `pull a blob of ${repository}`);
  const from = first.status === 200 ? 0 : offset;
  const to = first.status === 200 ? sizeBytes : end;
  if (first.status === 206) await resumePoint(first, offset, registry);
  const about = { blob: { digest, sizeBytes: to }, registry, context, from };
  return { from, to, body: cutAfter(resumed(first, openTo(to), about), to - from) };
}

/** A registry that forgets about ranges in the middle sends all the rest. */
async function* cutAfter(chunks: AsyncIterable<Uint8Array>, lengthBytes: number): AsyncGenerator<Uint8Array> {
  let left = lengthBytes;
  for await (const chunk of chunks) {
    const piece = chunk.subarray(0, left);
    left -= piece.length;
    yield piece;
    if (left === 0) return;
  }
}
