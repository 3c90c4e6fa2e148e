import { expect, test } from "bun:test";
import fc from "fast-check";
import { AppError } from "#core";
import { parseRegistry, registryHost } from "./registry-name.ts";

test.each([
  ["docker.io", { registry: "docker.io" }],
  ["https://index.docker.io/v1/", { registry: "docker.io" }],
  ["index.docker.io/v1/", { registry: "docker.io" }],
  ["https://registry-1.docker.io/v2/", { registry: "docker.io" }],
  ["docker.io/acme", { registry: "docker.io", path: "acme" }],
  ["NVCR.io", { registry: "nvcr.io" }],
  ["https://registry.example.ac.uk/", { registry: "registry.example.ac.uk" }],
  ["https://registry.example.ac.uk/v2/", { registry: "registry.example.ac.uk" }],
  ["registry.example.ac.uk/team-a/", { registry: "registry.example.ac.uk", path: "team-a" }],
  ["registry.example.ac.uk:8443/a/b", { registry: "registry.example.ac.uk:8443", path: "a/b" }],
  ["localhost:5000", { registry: "localhost:5000" }],
  ["[::1]:5000", { registry: "[::1]:5000" }],
  ["https://harbor", { registry: "harbor" }],
])("reads %s", (text, expected) => {
  expect(parseRegistry(text)).toEqual(expected);
});

test.each(["", "/", "http://localhost:5000", "harbor", "reg.io/Team", "reg.io:x", "reg io", "ftp://reg.io"])(
  "refuses %j",
  (text) => {
    expect(() => parseRegistry(text)).toThrow(AppError);
  },
);

test("a password in the URL is refused and never repeated", () => {
  try {
    parseRegistry("https://alice:hunter2@reg.example.org/");
    throw new Error("was accepted");
  } catch (error) {
    expect(error).toBeInstanceOf(AppError);
    const { message, hint } = error as AppError;
    expect(`${message} ${hint}`).not.toContain("hunter2");
  }
});

test("Docker Hub is contacted at another name than its own", () => {
  expect(registryHost("docker.io")).toBe("registry-1.docker.io");
  expect(registryHost("nvcr.io:443")).toBe("nvcr.io:443");
});

test("any text is a registry that reads back the same, or an AppError", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-z0:./[\]-]*$/)), (text) => {
      try {
        const { registry, path } = parseRegistry(text);
        const again = parseRegistry(`https://${registry}${path === undefined ? "" : `/${path}`}`);
        expect(again.registry).toBe(registry);
      } catch (error) {
        expect(error).toBeInstanceOf(AppError);
      }
    }),
    { seed: 3, numRuns: 1000 },
  );
});
