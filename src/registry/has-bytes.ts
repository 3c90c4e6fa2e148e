import type { BlobPlace } from "#catalog";
import type { Parts } from "./exchange.ts";

/**
 * Are a blob's bytes still there? Where its object was lost (a disk that was mended, a folder restored from a backup), the blob counts as
 * absent: a client then pushes it again and makes it whole, where a 200 would have it skip the layer.
 */
export function hasBytes(parts: Parts, place: BlobPlace): boolean | Promise<boolean> {
  return place.kind === "inline" || parts.blobs.has(place);
}
