import { createHash } from "node:crypto";
import { AppError } from "#core";

/** The algorithms that the image specification registers and every client knows. */
export type DigestAlgorithm = "sha256" | "sha512";

/** A digest in its parts. `hex` is lower case and has the algorithm's full length. */
export interface Digest {
  readonly algorithm: DigestAlgorithm;
  readonly hex: string;
  /** `algorithm:hex`. Safe as a path component once the colon is replaced. */
  readonly text: string;
}

const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/** True for a well-formed sha256 or sha512 digest. */
export function isDigest(text: string): boolean {
  return text.length <= 135 && DIGEST.test(text);
}

/** Parses `algorithm:hex`; throws DIGEST_INVALID. Upper-case hex is refused: image-spec, descriptor.md "Digests". */
export function parseDigest(text: string): Digest {
  if (!isDigest(text)) {
    throw new AppError("DIGEST_INVALID", `${shown(text)} is not a digest`, {
      hint: "write sha256: and 64 lower-case hexadecimal digits, or sha512: and 128",
    });
  }
  return {
    algorithm: text.startsWith("sha256") ? "sha256" : "sha512",
    hex: text.slice(7),
    text,
  };
}

/** The digest of bytes, as `algorithm:hex`. */
export function digestOf(bytes: Uint8Array | string, algorithm: DigestAlgorithm = "sha256"): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`;
}

function shown(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
