import { createHash } from "node:crypto";
import { AppError, type Context } from "#core";
import { type Digest, isForeignLayer } from "#oci";
import { type Compression, decompress } from "#system";
import type { LayerBlob, LayerIndex, LayerVisitor } from "../contract.ts";
import { defaultLayerLimits, type LayerLimits } from "./layer-limits.ts";
import { overLimit } from "./refuse.ts";
import { piecesOf } from "./source-pieces.ts";
import { TarReader } from "./tar-reader.ts";

/**
 * Decodes a layer once, calls `visitor` for its entries and the contents that it wants, and gives all headers back. The bytes themselves say whether
 * they are gzip, zstd or plain: media types lie. The uncompressed bytes are checked against the layer's diff ID, so nothing that was visited may
 * be used before this returns. Throws IMAGE_INVALID, TOO_LARGE (a limit), DIGEST_INVALID (the diff ID), SIZE_INVALID, UNSUPPORTED (another
 * compression), BLOB_UNKNOWN (a foreign layer whose bytes are not there), and what `layer.bytes` and `visitor` throw.
 */
export async function readLayer(
  layer: LayerBlob,
  visitor: LayerVisitor,
  context: Context,
  limits: LayerLimits = defaultLayerLimits,
): Promise<LayerIndex> {
  const { compression, pieces } = await openPieces(layer, context);
  // A hole costs its maker nothing and us as much as bytes do: the ratio holds for it too.
  const mostBytes = Math.max(limits.ratioFreeBytes, layer.descriptor.sizeBytes * limits.maxRatio);
  const maxLayerBytes = Math.min(limits.maxLayerBytes, mostBytes);
  const reader = new TarReader(visitor, { ...limits, maxLayerBytes });
  try {
    for await (const piece of checkedPieces(pieces, layer, limits)) {
      refuseAborted(context);
      await reader.write(piece);
    }
    const index = reader.finish();
    // A zstd stream that was cut between two blocks looks whole; the diff ID would tell, the end of the archive does too.
    if (compression === "zstd" && layer.diffId === undefined && !reader.hasEnded)
      throw new AppError("IMAGE_INVALID", "the archive has no end");
    return index;
  } catch (cause) {
    throw inLayer(cause, layer, reader.where);
  }
}

/**
 * The uncompressed bytes of a layer, as an archive of layers holds them; the same checks, those of the tar's entries left out. Nothing may be used
 * before the last piece came. A piece is valid until the next is asked for.
 */
export async function* readLayerBytes(
  layer: LayerBlob,
  context: Context,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { pieces } = await openPieces(layer, context);
  try {
    yield* checkedPieces(pieces, layer, defaultLayerLimits);
  } catch (cause) {
    throw inLayer(cause, layer, "");
  }
}

async function openPieces(
  layer: LayerBlob,
  context: Context,
): Promise<{ readonly compression: Compression | undefined; readonly pieces: AsyncIterable<Uint8Array> }> {
  checkSize(layer);
  const head = await layer.bytes.read(0, SNIFF_BYTES, context);
  const compression = sniffCompression(head);
  const compressed = piecesOf(layer.bytes, context);
  return {
    compression,
    pieces: compression === undefined ? compressed : decompress(compressed, compression),
  };
}

/** How the bytes of a layer are compressed, by their first ones; undefined for not at all. Throws UNSUPPORTED for what nobody should use here. */
export function sniffCompression(head: Uint8Array): Compression | undefined {
  const word = (head[0] ?? 0) | ((head[1] ?? 0) << 8) | ((head[2] ?? 0) << 16);
  if ((word & 0xffff) === 0x8b1f) return "gzip";
  const last = head[3] ?? 0;
  if (word === 0x2fb528 && last === 0xfd) return "zstd";
  // A skippable frame may come first (zstd format, "Skippable Frames").
  if ((word & 0xfffff0) === 0x4d2a50 && last === 0x18) return "zstd";
  const isTar = Buffer.from(head.subarray(257, 262)).toString("latin1") === "ustar";
  if (!isTar) refuseOther(head);
  return undefined;
}

const SNIFF_BYTES = 512;

function refuseOther(head: Uint8Array): void {
  const text = Buffer.from(head.subarray(0, 6)).toString("latin1");
  const name = text.startsWith("BZh") ? "bzip2" : text === "\xfd7zXZ\0" ? "xz" : undefined;
  if (name === undefined) return;
  throw new AppError("UNSUPPORTED", `the layer is compressed with ${name}, which images do not use`, {
    hint: "build or push the image again with a current program",
  });
}

function checkSize({ descriptor, bytes }: LayerBlob): void {
  if (descriptor.sizeBytes === bytes.sizeBytes) return;
  if (bytes.sizeBytes === 0 && isForeignLayer(descriptor)) {
    throw new AppError(
      "BLOB_UNKNOWN",
      `the layer ${descriptor.digest} is kept elsewhere by its maker, and this registry does not hold it`,
      {
        hint: "push the image with its foreign layers, then pull it again",
        details: { urls: descriptor.urls },
      },
    );
  }
  throw new AppError(
    "SIZE_INVALID",
    `the layer ${descriptor.digest} has ${bytes.sizeBytes} bytes, its manifest says ${descriptor.sizeBytes}`,
  );
}

/** The uncompressed bytes, within the limits; throws after the last piece where the whole is not what the diff ID says. */
async function* checkedPieces(
  pieces: AsyncIterable<Uint8Array>,
  layer: LayerBlob,
  limits: LayerLimits,
): AsyncGenerator<Buffer, void, undefined> {
  const hash = layer.diffId === undefined ? undefined : createHash(layer.diffId.algorithm);
  let total = 0;
  for await (const piece of pieces) {
    total += piece.length;
    checkVolume(total, layer.descriptor.sizeBytes, limits);
    hash?.update(piece);
    yield Buffer.from(piece.buffer, piece.byteOffset, piece.length);
  }
  if (hash !== undefined && layer.diffId !== undefined) checkDiffId(hash.digest("hex"), layer.diffId);
}

/** Pieces as they come, as long as they are no bomb: of an archive that was compressed as a whole. Throws TOO_LARGE. */
export async function* withinVolume(
  pieces: AsyncIterable<Uint8Array>,
  compressedBytes: number,
  limits: LayerLimits = defaultLayerLimits,
): AsyncGenerator<Uint8Array, void, undefined> {
  let total = 0;
  for await (const piece of pieces) {
    total += piece.length;
    checkVolume(total, compressedBytes, limits);
    yield piece;
  }
}

function checkVolume(total: number, compressed: number, limits: LayerLimits): void {
  if (total > limits.maxLayerBytes)
    throw overLimit(`it unpacks to more than ${limits.maxLayerBytes} bytes`, "maxLayerBytes");
  if (total > limits.ratioFreeBytes && total > compressed * limits.maxRatio)
    throw overLimit(`it unpacks to more than ${limits.maxRatio} times its size`, "maxRatio");
}

function checkDiffId(hex: string, said: Digest): void {
  if (hex === said.hex) return;
  throw new AppError(
    "DIGEST_INVALID",
    `its content is ${said.algorithm}:${hex}, the image's config says ${said.text}`,
    { hint: "the image was changed after it was built, or its layers were packed anew; push it again" },
  );
}

function refuseAborted(context: Context): void {
  if (context.signal.aborted) throw new AppError("INTERRUPTED", "stopped while a layer was read");
}

/** The errors that are about the layer say which one, and where in it. */
function inLayer(cause: unknown, layer: LayerBlob, where: string): unknown {
  if (!(cause instanceof AppError) || !OWN.has(cause.code)) return cause;
  const { code, message, hint, details } = cause;
  const entry = code === "DIGEST_INVALID" || where === "" ? "" : `, entry ${where}`;
  const digest = layer.descriptor.digest.slice(0, 19);
  return new AppError(code, `layer ${digest}${entry}: ${message}`, {
    ...(hint === undefined ? {} : { hint }),
    ...(details === undefined ? {} : { details }),
    cause,
  });
}

const OWN: ReadonlySet<string> = new Set(["IMAGE_INVALID", "TOO_LARGE", "DIGEST_INVALID"]);
