import { AppError, type Context } from "#core";
import type { ByteSource } from "../contract.ts";

const READ_BYTES = 1024 * 1024;

/** All bytes of a source in order, a piece of up to 1 MiB at a time. Throws INTERRUPTED, SIZE_INVALID where it ends before its size, and what it throws. */
export async function* piecesOf(
  source: ByteSource,
  context: Context,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  for (let offset = 0; offset < source.sizeBytes; ) {
    if (context.signal.aborted) throw new AppError("INTERRUPTED", "stopped while a layer was read");
    const piece = await source.read(offset, Math.min(READ_BYTES, source.sizeBytes - offset), context);
    if (piece.length === 0) throw new AppError("SIZE_INVALID", "the layer ended before its size");
    offset += piece.length;
    yield piece as Uint8Array<ArrayBuffer>;
  }
}

/** The same as a stream, for a request's body. Nothing is read before somebody reads it. */
export function streamOf(source: ByteSource, context: Context): ReadableStream<Uint8Array> {
  const pieces = piecesOf(source, context);
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await pieces.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await pieces.return();
      },
    },
    { highWaterMark: 0 },
  );
}
