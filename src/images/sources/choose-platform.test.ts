import { expect, test } from "bun:test";
import type { Descriptor, Platform } from "#oci";
import {
  choosePlatform,
  isImageEntry,
  parsePlatform,
  platformChoice,
  platformsOf,
  renderPlatform,
} from "./choose-platform.ts";

const entry = (platform: Platform | undefined, annotations: Record<string, string> = {}): Descriptor => ({
  mediaType: "",
  digest: `sha256:${"0".repeat(64)}`,
  sizeBytes: 1,
  urls: [],
  annotations,
  ...(platform === undefined ? {} : { platform }),
});

const chosen = (wanted: string, ...there: readonly string[]): readonly string[] =>
  choosePlatform(
    there.map((text) => {
      const [os = "", architecture = "", variant] = text.split("/");
      return entry({ os, architecture, ...(variant === undefined ? {} : { variant }) });
    }),
    parsePlatform(wanted),
  ).map(({ platform }) => (platform === undefined ? "" : renderPlatform(platform)));

test("each spelling of an architecture is the same one", () => {
  for (const text of ["arm64", "aarch64", "linux/arm64", "linux/arm64/v8", "linux/aarch64/8", "arm64v8"])
    expect(renderPlatform(parsePlatform(text))).toBe("linux/arm64");
  expect(renderPlatform(parsePlatform("x86_64"))).toBe("linux/amd64");
  expect(renderPlatform(parsePlatform("linux/arm/7"))).toBe("linux/arm/v7");
  for (const text of ["", "a/b/c/d", "linux/", "../x"])
    expect(() => parsePlatform(text)).toThrow("not a platform");
});

test("arm64 with and without its variant are one platform", () => {
  expect(chosen("linux/arm64", "linux/amd64", "linux/arm64/v8")).toEqual(["linux/arm64/v8"]);
  expect(chosen("linux/arm64/v8", "linux/arm64")).toEqual(["linux/arm64"]);
});

test("the very variant comes before those that say nothing and the highest before lower ones", () => {
  expect(chosen("linux/arm/v7", "linux/arm", "linux/arm/v6", "linux/arm/v7")).toEqual([
    "linux/arm/v7",
    "linux/arm",
  ]);
  expect(chosen("linux/arm", "linux/arm/v6", "linux/arm/v7")).toEqual(["linux/arm/v7", "linux/arm/v6"]);
  expect(chosen("linux/amd64", "windows/amd64", "linux/s390x")).toEqual([]);
});

test("attestations and entries without a known platform are no images", () => {
  expect(isImageEntry(entry({ os: "unknown", architecture: "unknown" }))).toBe(false);
  const annotations = { "vnd.docker.reference.type": "attestation-manifest" };
  expect(isImageEntry(entry({ os: "linux", architecture: "amd64" }, annotations))).toBe(false);
  expect(isImageEntry(entry(undefined))).toBe(true);
});

test("unasked it is this machine's where it runs containers itself, then the one that most clusters have", () => {
  const wanted = (system: string, processor: string, text?: string): readonly string[] =>
    platformsOf(platformChoice(text, { system, processor })).map(renderPlatform);
  expect(wanted("linux", "x64")).toEqual(["linux/amd64"]);
  expect(wanted("linux", "arm64")).toEqual(["linux/arm64", "linux/amd64"]);
  expect(wanted("darwin", "arm64")).toEqual(["linux/amd64"]);
  expect(wanted("darwin", "arm64", "linux/arm64/v8")).toEqual(["linux/arm64"]);
});
