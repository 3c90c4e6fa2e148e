import { expect, test } from "bun:test";
import { isRepositoryName, isTag, parseRepositoryName } from "./repository-name.ts";

test.each(["a", "team/app", "a.b_c__d--e/f0", "0/1/2", "a".repeat(255)])("%s is a name", (text) => {
  expect(isRepositoryName(text)).toBeTrue();
});

test.each([
  "",
  "/a",
  "a/",
  "a//b",
  "A",
  "a..b",
  "a___b",
  "a._b",
  "-a",
  "a-",
  "a/../b",
  "a\n",
  "a%2fb",
  "ä",
  "a".repeat(256),
])("%j is none", (text) => {
  expect(isRepositoryName(text)).toBeFalse();
  expect(() => parseRepositoryName(text)).toThrow("is not a repository name");
});

test("tags", () => {
  for (const tag of ["latest", "_x", "1.0-rc.1", "t".repeat(128)]) expect(isTag(tag)).toBeTrue();
  for (const tag of ["", ".x", "-x", "a/b", "a:b", "a b", "v1\n", "t".repeat(129)])
    expect(isTag(tag)).toBeFalse();
});

test("a name built to make matching slow is refused at once", () => {
  const evil = `${"a-".repeat(127)}!`;
  const start = performance.now();
  for (let round = 0; round < 1000; round++) expect(isRepositoryName(evil)).toBeFalse();
  expect(performance.now() - start).toBeLessThan(1000);
});
