import { gunzipSync, gzipSync } from "node:zlib";
import { AppError } from "#core";

/** In gzip. */
export function packBytes(bytes: Uint8Array): Uint8Array {
  return gzipSync(bytes);
}

/** What was packed. Throws INVALID_INPUT for what is no gzip, is cut off, or would be longer than `maxBytes`; no more than that is unpacked. */
export function unpackBytes(bytes: Uint8Array, maxBytes: number): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: maxBytes });
  } catch (cause) {
    throw new AppError("INVALID_INPUT", `this is no gzip of at most ${maxBytes} bytes`, { cause });
  }
}
