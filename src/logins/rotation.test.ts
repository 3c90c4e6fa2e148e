import { expect, test } from "bun:test";
import fc from "fast-check";
import { Secret } from "#core";
import { parseRotation, type Rotation, renderRotation } from "./rotation.ts";

const time = fc.date({ noInvalidDate: true }).map((date) => date.toISOString());
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const id = fc.integer({ min: 1 });
const rotation: fc.Arbitrary<Rotation> = fc.record({
  registry: fc.string(),
  username: fc.string(),
  startedAt: time,
  direction: fc.constantFrom("forward" as const, "back" as const),
  leaving: maybe(fc.string().map((text) => new Secret(text))),
  leavingExpires: maybe(time),
  issuer: maybe(
    fc.record({
      url: fc.string(),
      tokenName: fc.string(),
      stayingTokenId: maybe(id),
      leavingTokenId: maybe(id),
    }),
  ),
  deliveredAt: maybe(time),
});

test("a rotation is read as it was sealed", () => {
  fc.assert(
    fc.property(rotation, (one) => {
      const read = parseRotation(JSON.parse(JSON.stringify(renderRotation(one))));
      expect(read?.leaving?.reveal()).toBe(one.leaving?.reveal() as string);
      expect({ ...read, leaving: undefined }).toEqual({ ...one, leaving: undefined });
    }),
    { seed: 4, numRuns: 300 },
  );
});

test("whatever else is there is no rotation, or one in every field", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(parseRotation(value)).toBeUndefined();
    }),
    { seed: 4, numRuns: 300 },
  );
  const good = { registry: "a", username: "u", startedAt: "2027-01-01T00:00:00Z", direction: "forward" };
  expect(parseRotation(good)).toBeDefined();
  const wrong = [
    { startedAt: "x" },
    { direction: "up" },
    { leaving: 1 },
    { leavingExpires: "x" },
    { deliveredAt: 3 },
    { issuer: "x" },
    { issuer: { url: "u", tokenName: "t", stayingTokenId: 0 } },
    { issuer: { url: "u", tokenName: "t", leavingTokenId: 1.5 } },
    { issuer: { url: 1, tokenName: "t" } },
  ];
  for (const change of wrong) expect(parseRotation({ ...good, ...change })).toBeUndefined();
});
