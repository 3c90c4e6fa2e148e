import { expect, test } from "bun:test";
import fc from "fast-check";
import { isAppError } from "#core";
import { packBytes, unpackBytes } from "./pack-bytes.ts";

test("what is packed is unpacked, up to the limit and not beyond", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 2000 }), (bytes) => {
      expect([...unpackBytes(packBytes(bytes), bytes.length)]).toEqual([...bytes]);
      // A limit of nothing would be none.
      if (bytes.length > 1) expect(() => unpackBytes(packBytes(bytes), bytes.length - 1)).toThrow("no gzip");
    }),
    { seed: 4, numRuns: 300 },
  );
});

test("whatever else is there, or cut off, is refused", () => {
  const packed = packBytes(Buffer.from("some text"));
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 100 }),
        fc.nat(packed.length - 1).map((end) => packed.slice(0, end)),
      ),
      (bytes) => {
        try {
          unpackBytes(bytes, 1000);
        } catch (cause) {
          return isAppError(cause, "INVALID_INPUT");
        }
        return false;
      },
    ),
    { seed: 4, numRuns: 300 },
  );
});
