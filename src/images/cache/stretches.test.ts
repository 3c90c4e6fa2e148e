import { expect, test } from "bun:test";
import fc from "fast-check";
import { Stretches } from "./stretches.ts";

const SIZE = 40;
const change = fc.record({
  isAdded: fc.boolean(),
  from: fc.nat(SIZE),
  length: fc.nat(10),
});

test("it is what a list of bytes would be, whatever is added and removed", () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 30 }), fc.nat(SIZE), (changes, at) => {
      const stretches = new Stretches();
      const bytes = Array.from({ length: SIZE + 20 }, () => false);
      for (const { isAdded, from, length } of changes) {
        if (isAdded) stretches.add(from, from + length);
        else stretches.remove(from, from + length);
        bytes.fill(isAdded, from, from + length);
      }
      expect(stretches.sizeBytes).toBe(bytes.filter(Boolean).length);
      let end = at;
      while (bytes[end] === true) end++;
      expect(stretches.endOf(at)).toBe(end);
      const gap = stretches.firstGap(at, SIZE);
      const from = bytes.findIndex((isThere, index) => index >= at && !isThere);
      if (from >= SIZE) expect(gap).toBeUndefined();
      else {
        const next = bytes.findIndex((isThere, index) => index >= from && isThere);
        expect(gap).toEqual({ from, to: next < 0 ? SIZE : Math.min(next, SIZE) });
      }
      const list = stretches.list();
      expect(list.every((one, index) => index === 0 || (list[index - 1]?.to ?? 0) < one.from)).toBe(true);
    }),
    { seed: 5, numRuns: 500 },
  );
});
