import { expect, test } from "bun:test";
import fc from "fast-check";
import { isAppError } from "#core";
import { parseRegistryUrl } from "./registry-url.ts";
import { parseRobotName } from "./robot-name.ts";

test("addresses as people type them", () => {
  expect(parseRegistryUrl("registry.example.org", false)).toBe("https://registry.example.org");
  expect(parseRegistryUrl("registry.example.org:8443/", false)).toBe("https://registry.example.org:8443");
  expect(parseRegistryUrl("localhost:5000", false)).toBe("http://localhost:5000");
  expect(parseRegistryUrl("127.0.0.1:5000", false)).toBe("http://127.0.0.1:5000");
  expect(parseRegistryUrl("[::1]:443", false)).toBe("http://[::1]:443");
  expect(parseRegistryUrl("https://127.0.0.1:5000", false)).toBe("https://127.0.0.1:5000");
  expect(parseRegistryUrl("registry.lan:5000", true)).toBe("http://registry.lan:5000");
  expect(parseRegistryUrl("http://registry.lan", true)).toBe("http://registry.lan");
  for (const bad of [
    "http://registry.lan",
    "https://a:b@c",
    "https://c/path",
    "ftp://c",
    "",
    "https://",
    "a b",
  ])
    expect(() => parseRegistryUrl(bad, false)).toThrow();
});

test("an address never sends a password in clear beyond this machine unless that was said", () => {
  fc.assert(
    fc.property(fc.oneof(fc.webUrl(), fc.domain(), fc.string()), (text) => {
      try {
        const url = new URL(parseRegistryUrl(text, false));
        const isLocal =
          url.hostname === "localhost" ||
          url.hostname.endsWith(".localhost") ||
          /^(127\.|\[::1)/.test(url.hostname);
        expect(url.protocol === "https:" || isLocal).toBe(true);
      } catch (error) {
        expect(isAppError(error, "USAGE")).toBe(true);
      }
    }),
    { seed: 3, numRuns: 300 },
  );
});

test("a robot is PROJECT/NAME, or NAME of the site", () => {
  expect(parseRobotName("team-a/ci")).toEqual({ project: "team-a", robot: "ci" });
  expect(parseRobotName("node")).toEqual({ project: undefined, robot: "node" });
  for (const bad of ["", "/", "a/", "/b", "a/b/c"]) expect(() => parseRobotName(bad)).toThrow();
});
