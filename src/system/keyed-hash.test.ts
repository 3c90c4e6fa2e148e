import { expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import fc from "fast-check";
import { createKeyedHash } from "./keyed-hash.ts";

test("a keyed hash is HMAC-SHA-256, for the first text and for those after it", () => {
  // RFC 4231, test case 2.
  expect(createKeyedHash(Buffer.from("Jefe"))("what do ya want for nothing?")).toBe(
    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
  );
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 200 }),
      fc.array(fc.string({ unit: "grapheme", maxLength: 300 }), { maxLength: 4 }),
      (key, texts) => {
        const hash = createKeyedHash(key);
        for (const text of texts)
          expect(hash(text)).toBe(createHmac("sha256", key).update(text).digest("hex"));
      },
    ),
    { seed: 7 },
  );
});
