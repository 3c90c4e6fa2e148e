import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseByteRange, parseChunkRange, renderUploadRange } from "./range.ts";

const SEED = 20261122;
const size = fc.integer({ min: 0, max: 1_000_000 });
const position = fc.integer({ min: 0, max: 2_000_000 });

test("a part is what RFC 9110 says of the header, for every size", () => {
  fc.assert(
    fc.property(size, position, position, (bytes, first, last) => {
      const both = parseByteRange(`bytes=${first}-${last}`, bytes);
      if (first >= bytes || last < first) expect(both).toBe("unsatisfiable");
      else expect(both).toEqual({ start: first, end: Math.min(last, bytes - 1) + 1 });
      const open = parseByteRange(`bytes=${first}-`, bytes);
      expect(open).toEqual(first >= bytes ? "unsatisfiable" : { start: first, end: bytes });
      const suffix = parseByteRange(`bytes=-${last}`, bytes);
      if (bytes === 0 || last === 0) expect(suffix).toBe("unsatisfiable");
      else expect(suffix).toEqual({ start: Math.max(0, bytes - last), end: bytes });
    }),
    { seed: SEED },
  );
});

test("whatever the header holds, a part lies within the blob", () => {
  const text = fc.oneof(fc.string(), fc.stringMatching(/^bytes=[0-9-, ]{0,40}$/));
  fc.assert(
    fc.property(text, size, (header, bytes) => {
      const range = parseByteRange(header, bytes);
      if (range === undefined || range === "unsatisfiable") return;
      expect(range.start).toBeGreaterThanOrEqual(0);
      expect(range.end).toBeGreaterThan(range.start);
      expect(range.end).toBeLessThanOrEqual(bytes);
    }),
    { seed: SEED },
  );
});

test("what is no single range of bytes is answered whole", () => {
  for (const header of [null, "", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=1-2,4-5", "items=1-2"])
    expect(parseByteRange(header, 100)).toBeUndefined();
});

test("a chunk's range in both spellings", () => {
  fc.assert(
    fc.property(position, position, (first, last) => {
      const expected = last < first ? "invalid" : { start: first, end: last + 1 };
      for (const text of [
        `${first}-${last}`,
        `bytes ${first}-${last}/*`,
        `bytes ${first}-${last}/${last + 1}`,
      ])
        expect(parseChunkRange(text)).toEqual(expected);
    }),
    { seed: SEED },
  );
});

test("whatever a chunk's range holds, it is invalid or at least one byte", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^(bytes )?[0-9-]{0,40}(\/[0-9*]*)?$/)), (header) => {
      const range = parseChunkRange(header);
      if (range === "invalid" || range === undefined) return;
      expect(Number.isSafeInteger(range.start) && range.end > range.start).toBe(true);
    }),
    { seed: SEED },
  );
  expect(parseChunkRange(null)).toBeUndefined();
});

test("an upload's range never goes below zero", () => {
  expect([0, 1, 2, 500].map(renderUploadRange)).toEqual(["0-0", "0-0", "0-1", "0-499"]);
});
