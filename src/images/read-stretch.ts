import { AppError, type Context } from "#core";
import type { ByteSource } from "./contract.ts";

/** Exactly these bytes of a source, in one piece. Throws SIZE_INVALID when it ends before, and what the source throws. */
export async function readStretch(
  source: ByteSource,
  offset: number,
  length: number,
  context: Context,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; ) {
    const piece = await source.read(offset + at, length - at, context);
    if (piece.length === 0) throw new AppError("SIZE_INVALID", "the file ends earlier than it says");
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
