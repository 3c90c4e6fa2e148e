import { expect, test } from "bun:test";
import fc from "fast-check";
import { AppError } from "#core";
import { manifestKey, parseReference, renderReference } from "./reference.ts";

const hex = "a".repeat(64);

test.each([
  ["ubuntu", "docker.io/library/ubuntu"],
  ["ubuntu:22.04", "docker.io/library/ubuntu:22.04"],
  ["alice/app", "docker.io/alice/app"],
  ["docker.io/ubuntu", "docker.io/library/ubuntu"],
  ["index.docker.io/alice/app", "docker.io/alice/app"],
  ["registry-1.docker.io/library/nginx", "docker.io/library/nginx"],
  ["localhost/app", "localhost/app"],
  ["localhost:5000/app:v1", "localhost:5000/app:v1"],
  ["node7:5000/team/app", "node7:5000/team/app"],
  ["Node7/app", "node7/app"],
  ["[::1]:5000/app:x", "[::1]:5000/app:x"],
  ["docker://nvcr.io/nvidia/cuda:12", "nvcr.io/nvidia/cuda:12"],
  ["nvcr.io#nvidia/cuda:12", "nvcr.io/nvidia/cuda:12"],
  ["docker://nvcr.io#nvidia/cuda", "nvcr.io/nvidia/cuda"],
  [`reg.example.org/a/b:t@sha256:${hex}`, `reg.example.org/a/b:t@sha256:${hex}`],
])("reads %s as docker does", (text, canonical) => {
  expect(renderReference(parseReference(text))).toBe(canonical);
});

test("keeps Enroot's user", () => {
  expect(parseReference("docker://$oauthtoken@nvcr.io#nvidia/cuda:12")).toEqual({
    registry: "nvcr.io",
    repository: "nvidia/cuda",
    tag: "12",
    username: "$oauthtoken",
  });
});

test("the digest decides before the tag, and latest stands in for both", () => {
  expect(manifestKey(parseReference(`a/b:t@sha256:${hex}`))).toBe(`sha256:${hex}`);
  expect(manifestKey(parseReference("a/b:t"))).toBe("t");
  expect(manifestKey(parseReference("a/b"))).toBe("latest");
});

test.each([
  "",
  "Ubuntu",
  "reg.example.org/",
  "reg.example.org/App",
  "reg.example.org:99999/a",
  "reg.example.org:0/a",
  "-bad.org/a",
  "a//b",
  "a/b:",
  "a/b:-x",
  `a/b:${"t".repeat(129)}`,
  "a/b@sha256:abc",
  `a/b@sha256:${"A".repeat(64)}`,
  "../etc/passwd",
  "user:pass@nvcr.io#a/b",
  "@nvcr.io#a/b",
  `reg.example.org/${"a/".repeat(125)}a`,
  "docker://docker://a/b",
])("refuses %j", (text) => {
  expect(() => parseReference(text)).toThrow(AppError);
});

const component = fc.stringMatching(/^[a-z0-9]{1,8}(?:(?:\.|_|__|-)[a-z0-9]{1,4})?$/);
const registry = fc.oneof(
  fc.constantFrom("docker.io", "localhost", "[::1]:5000"),
  fc.stringMatching(/^[a-z0-9]{1,10}\.[a-z]{2,5}(?::[1-9][0-9]{0,3})?$/),
);

test("what is rendered reads back the same", () => {
  fc.assert(
    fc.property(
      registry,
      fc.array(component, { minLength: 2, maxLength: 4 }),
      fc.option(fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,20}$/), { nil: undefined }),
      fc.option(fc.stringMatching(/^[0-9a-f]{64}$/), { nil: undefined }),
      (host, components, tag, digest) => {
        const reference = {
          registry: host,
          repository: components.join("/"),
          ...(tag === undefined ? {} : { tag }),
          ...(digest === undefined ? {} : { digest: `sha256:${digest}` }),
        };
        expect(parseReference(renderReference(reference))).toEqual(reference);
        expect(parseReference(`docker://${renderReference(reference)}`)).toEqual(reference);
      },
    ),
    { seed: 3, numRuns: 300 },
  );
});

test("any text is a reference or an AppError", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.stringMatching(/^[a-z:@#./[\]A0-]*$/)), (text) => {
      try {
        const reference = parseReference(text);
        expect(parseReference(renderReference(reference)).repository).toBe(reference.repository);
      } catch (error) {
        expect(error).toBeInstanceOf(AppError);
      }
    }),
    { seed: 3, numRuns: 1000 },
  );
});
