import { createHash } from "node:crypto";
import { AppError } from "#core";
import { parseDigest } from "#oci";
import type { ByteSource } from "../contract.ts";
import { readStretch } from "../read-stretch.ts";
import type { BlobAddress } from "./contract.ts";

const HASH_BYTES = 1024 * 1024;

/** A source whose last byte is given once all of it has the digest. Whoever reads in order has it hashed on the way. */
export function createVerifiedSource(source: ByteSource, { digest, sizeBytes }: BlobAddress): ByteSource {
  const { algorithm, hex } = parseDigest(digest);
  const hash = createHash(algorithm);
  let hashedTo = 0;
  let found: string | undefined;
  return {
    sizeBytes,
    async read(offset, length, context) {
      if (source.sizeBytes !== sizeBytes)
        throw new AppError(
          "SIZE_INVALID",
          `the blob ${digest} has ${source.sizeBytes} bytes, its manifest says ${sizeBytes}`,
        );
      const bytes = await source.read(offset, length, context);
      const fresh = hashedTo - offset;
      if (found === undefined && fresh >= 0 && fresh < bytes.length) {
        hash.update(bytes.subarray(fresh));
        hashedTo = offset + bytes.length;
      }
      if (offset + bytes.length < sizeBytes) return bytes;
      while (found === undefined && hashedTo < sizeBytes) {
        const from = hashedTo;
        const piece = await readStretch(source, from, Math.min(HASH_BYTES, sizeBytes - from), context);
        // Another reader may have been here meanwhile.
        if (hashedTo !== from) continue;
        hash.update(piece);
        hashedTo += piece.length;
      }
      found ??= hash.digest("hex");
      if (found === hex) return bytes;
      throw new AppError("DIGEST_INVALID", `what lies there as ${digest} has another digest`, {
        hint: "the file is damaged, or was changed: make it again",
        details: { expected: digest, digest: `${algorithm}:${found}` },
      });
    },
  };
}
