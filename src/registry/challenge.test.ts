import { expect, test } from "bun:test";
import fc from "fast-check";
import { originOf, renderChallenge, scopeOf } from "./challenge.ts";
import { parseRoute } from "./route.ts";

const SEED = 20261122;
const peer = { address: "192.0.2.1", secure: true };
const ask = (headers: Record<string, string>): Request => new Request("http://x/v2/", { headers });

test("the realm is where the client called us", () => {
  for (const host of ["registry.example", "registry.example:5000", "127.0.0.1:5000", "[::1]:5000", "a_b"])
    expect(originOf(ask({ host }), peer, undefined)).toBe(`https://${host}`);
  expect(originOf(ask({ host: "a" }), { ...peer, secure: false }, undefined)).toBe("http://a");
  expect(originOf(ask({ host: "inner" }), { ...peer, origin: "https://outer" }, undefined)).toBe(
    "https://outer",
  );
});

test("a Host header that is no host never reaches the challenge", () => {
  for (const host of ["", 'a",realm="evil', "a b", "a/b", "a@b", "a:port", "[::1", "x".repeat(300)])
    expect([host, originOf(ask({ host }), peer, "https://fallback")]).toEqual([host, "https://fallback"]);
});

test("whatever the path, the challenge is one line of three fields without a space but one, or a scope's", () => {
  const part = fc.oneof(fc.string({ maxLength: 30 }), fc.constantFrom("team/app", 'a"b', "a,b", "a b"));
  fc.assert(
    fc.property(part, part, fc.constantFrom("GET", "PUT", "DELETE", "POST"), (name, from, method) => {
      const route = parseRoute(`/v2/${name}/blobs/uploads/`);
      const scope = scopeOf(method, route, new URLSearchParams({ mount: "x", from }));
      const challenge = renderChallenge({ origin: "https://a:1", scope, error: undefined });
      expect(challenge).toMatch(
        /^Bearer realm="https:\/\/a:1\/v2\/token",service="a:1"(,scope="repository:[a-z0-9/._-]+:pull,push( repository:[a-z0-9/._-]+:pull)?")?$/,
      );
    }),
    { seed: SEED },
  );
});

test("each request asks for what it needs", () => {
  const scope = (method: string, path: string): string | undefined =>
    scopeOf(method, parseRoute(path), new URLSearchParams());
  expect(scope("HEAD", "/v2/a/b/manifests/x")).toBe("repository:a/b:pull");
  expect(scope("PUT", "/v2/a/b/manifests/x")).toBe("repository:a/b:pull,push");
  expect(scope("DELETE", "/v2/a/b/manifests/x")).toBe("repository:a/b:delete");
  expect(scope("DELETE", "/v2/a/b/blobs/uploads/id")).toBe("repository:a/b:pull,push");
  expect(scope("GET", "/v2/_catalog")).toBe("registry:catalog:*");
  expect(scope("GET", "/v2/")).toBeUndefined();
});
