import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseRoute, type Route } from "./route.ts";

const SEED = 20261122;
const component = fc.constantFrom(
  "team",
  "app",
  "blobs",
  "manifests",
  "tags",
  "uploads",
  "list",
  "referrers",
  "v2",
);
const repository = fc.array(component, { minLength: 1, maxLength: 5 }).map((parts) => parts.join("/"));
const last = fc.constantFrom("latest", "list", "uploads", "sha256:00", "x.y-z");

test("a repository may be called as any part of the protocol", () => {
  fc.assert(
    fc.property(repository, last, (name, reference) => {
      const routes: [string, Route][] = [
        [`${name}/manifests/${reference}`, { kind: "manifest", repository: name, reference }],
        [`${name}/blobs/sha256:00`, { kind: "blob", repository: name, reference: "sha256:00" }],
        [`${name}/referrers/${reference}`, { kind: "referrers", repository: name, reference }],
        [`${name}/tags/list`, { kind: "tags", repository: name }],
        [`${name}/blobs/uploads/`, { kind: "uploads", repository: name }],
        [`${name}/blobs/uploads`, { kind: "uploads", repository: name }],
        [`${name}/blobs/uploads/${reference}`, { kind: "upload", repository: name, id: reference }],
      ];
      for (const [path, route] of routes) expect(parseRoute(`/v2/${path}`)).toEqual(route);
    }),
    { seed: SEED },
  );
});

test("any path at all is read without a fault, and decoded once", () => {
  fc.assert(
    fc.property(fc.webPath(), (path) => {
      expect(typeof parseRoute(`/v2${path}`).kind).toBe("string");
    }),
    { seed: SEED },
  );
  expect(parseRoute("/v2/a/manifests/sha256%3Ax")).toMatchObject({ reference: "sha256:x" });
  expect(parseRoute("/v2/a/manifests/%253A")).toMatchObject({ reference: "%3A" });
  expect(parseRoute("/v2/a/manifests/%zz")).toEqual({ kind: "unknown" });
});

test("the addresses without a repository", () => {
  expect(parseRoute("/v2/")).toEqual({ kind: "base" });
  expect(parseRoute("/v2/token")).toEqual({ kind: "token" });
  expect(parseRoute("/v2/_catalog")).toEqual({ kind: "catalog" });
  for (const path of ["x", "manifests/x", "a/tags/other", "a/manifests", "tokens", "_catalog/x"])
    expect([path, parseRoute(`/v2/${path}`)]).toEqual([path, { kind: "unknown" }]);
});
