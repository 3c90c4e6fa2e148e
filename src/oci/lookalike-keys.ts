import { AppError } from "#core";
import type { JsonObject } from "./descriptor.ts";

/**
 * Makes the check for one kind of object: throws MANIFEST_INVALID for a key that differs from a known one in upper and lower case
 * alone. Go's readers take "Layers" for "layers", and also "layer\u017f" (Unicode's long s; Kelvin's sign is a k): two programs must
 * not see two images in the same bytes.
 */
export function createLookalikeCheck(known: readonly string[]): (value: JsonObject) => void {
  const exact: ReadonlySet<string> = new Set(known);
  const folded: ReadonlySet<string> = new Set(known.map(fold));
  return (value) => {
    for (const key of Object.keys(value)) {
      if (exact.has(key) || key.length > MAX_KEY_CHARS || !folded.has(fold(key))) continue;
      throw new AppError(
        "MANIFEST_INVALID",
        `the key ${JSON.stringify(key)} differs from a known one in upper and lower case alone`,
      );
    }
  };
}

/** No known key is longer. */
const MAX_KEY_CHARS = 40;

/** The way up and down again: down alone would leave the long s, up alone Kelvin's sign. */
function fold(key: string): string {
  return key.toUpperCase().toLowerCase();
}
