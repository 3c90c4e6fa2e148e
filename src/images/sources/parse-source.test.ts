import { expect, test } from "bun:test";
import fc from "fast-check";
import { isAppError } from "#core";
import { renderReference } from "#oci";
import { parseSource } from "./parse-source.ts";

const digest = `sha256:${"a".repeat(64)}`;

test.each([
  ["docker://nvcr.io/nvidia/pytorch:24.01-py3", "nvcr.io/nvidia/pytorch:24.01-py3"],
  ["docker://debian", "docker.io/library/debian"],
  ["debian:12", "docker.io/library/debian:12"],
  ["nvcr.io#nvidia/pytorch:24.01-py3", "nvcr.io/nvidia/pytorch:24.01-py3"],
  ["docker://$oauthtoken@nvcr.io#nvidia/pytorch", "nvcr.io/nvidia/pytorch"],
  ["localhost:5000/team/app", "localhost:5000/team/app"],
  [`ghcr.io/a/b@${digest}`, `ghcr.io/a/b@${digest}`],
  ["docker:24", "docker.io/library/docker:24"],
  ["docker/library:1", "docker.io/docker/library:1"],
])("%s is of a registry", (text, means) => {
  const source = parseSource(text);
  expect(source.kind).toBe("registry");
  expect("reference" in source && renderReference(source.reference)).toBe(means);
  expect(source.text).toStartWith("docker://");
});

test.each([
  ["oci:dir", "oci-layout", "dir", undefined],
  ["oci:dir:v1", "oci-layout", "dir", "v1"],
  ["oci:/a/b:team/app:v1", "oci-layout", "/a/b", "team/app:v1"],
  [`oci:dir@${digest}`, "oci-layout", "dir", digest],
  ["oci-archive:a.tar", "oci-archive", "a.tar", undefined],
  ["oci-archive:a.tar:x", "oci-archive", "a.tar", "x"],
  ["docker-archive:/x/a.tar:repo/name:tag", "docker-archive", "/x/a.tar", "repo/name:tag"],
] as const)("%s is a file", (text, kind, path, image) => {
  expect(parseSource(text)).toEqual({ kind, text, path, image });
});

test("a daemon's image and an artifact", () => {
  expect(parseSource("docker-daemon:app:1")).toMatchObject({
    kind: "docker-daemon",
    reference: { tag: "1" },
  });
  expect(parseSource("oras://r.example.org/a/b:1.sif")).toMatchObject({ kind: "artifact" });
});

test.each([
  "",
  "http://x/y",
  "oci:",
  "oci::x",
  "oci://dir",
  "oci:dir:",
  "docker-daemon://x",
  "Debian",
  "a b",
])("%j is refused with words", (text) => {
  expect(() => parseSource(text)).toThrow();
});

test("any text is a source or an AppError", () => {
  const start = fc.constantFrom(
    "",
    "docker://",
    "oci:",
    "oci-archive:",
    "docker-archive:",
    "docker-daemon:",
    "oras://",
  );
  fc.assert(
    fc.property(start, fc.string({ unit: "binary", maxLength: 60 }), (scheme, rest) => {
      try {
        const source = parseSource(scheme + rest);
        if ("path" in source) expect(source.path).not.toBe("");
      } catch (cause) {
        expect(isAppError(cause)).toBe(true);
      }
    }),
    { seed: 7, numRuns: 2000 },
  );
});
