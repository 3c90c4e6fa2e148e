import { expect, test } from "bun:test";
import { AppError } from "#core";
import { digestOf, isDigest, parseDigest } from "./digest.ts";

test("the digests of nothing are the known ones (FIPS 180-4)", () => {
  expect(digestOf("")).toBe("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  expect(digestOf(new Uint8Array(), "sha512")).toStartWith("sha512:cf83e1357eefb8bdf1542850d66d8007d620e405");
});

test("parts of a digest", () => {
  const text = digestOf("x", "sha512");
  expect(parseDigest(text)).toEqual({ algorithm: "sha512", hex: text.slice(7), text });
});

test.each([
  "",
  "sha256:",
  `sha256:${"a".repeat(63)}`,
  `sha256:${"a".repeat(65)}`,
  `sha256:${"A".repeat(64)}`,
  `sha512:${"a".repeat(64)}`,
  `md5:${"a".repeat(32)}`,
  `sha256:${"a".repeat(64)}\n`,
  `sha256:../../${"a".repeat(58)}`,
  "sha256:".padEnd(100_000, "a"),
])("%j is refused before it can become a path (CVE-2024-3727)", (text) => {
  expect(isDigest(text)).toBeFalse();
  expect(() => parseDigest(text)).toThrow(AppError);
});
