import { expect, test } from "bun:test";
import fc from "fast-check";
import { isAppError } from "#core";
import { parsePageRequest, renderNextLink } from "./paging.ts";

const SEED = 20261122;

test("a link leads to a query that reads back as it was written", () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 0, max: 1000 }), (last, n) => {
      const link = renderNextLink("/v2/a/tags/list", { n: String(n), last: last.toWellFormed() });
      const target = /^<([^<>]*)>; rel="next"$/.exec(link)?.[1] ?? "";
      const url = new URL(target, "http://x");
      expect(url.pathname).toBe("/v2/a/tags/list");
      expect(parsePageRequest(url.searchParams)).toEqual({ limit: n, last: last.toWellFormed() });
    }),
    { seed: SEED },
  );
});

test("a page is a thousand entries at most, and what is no number is refused", () => {
  expect(parsePageRequest(new URLSearchParams("n=5000"))).toEqual({ limit: 1000, last: undefined });
  expect(parsePageRequest(new URLSearchParams(""))).toEqual({ limit: 1000, last: undefined });
  for (const n of ["-1", "1.5", "x", "1e9", " 1", "9".repeat(30)]) {
    let caught: unknown;
    try {
      parsePageRequest(new URLSearchParams({ n }));
    } catch (cause) {
      caught = cause;
    }
    expect([n, isAppError(caught, "INVALID_INPUT")]).toEqual([n, true]);
  }
});
