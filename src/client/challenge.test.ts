import { expect, test } from "bun:test";
import fc from "fast-check";
import { AppError } from "#core";
import { readDemand } from "./auth-scheme.ts";
import { parseChallenges } from "./challenge.ts";

const plain = (header: string) =>
  parseChallenges(header).map((challenge) => [challenge.scheme, Object.fromEntries(challenge.parameters)]);

test.each([
  [
    'Bearer realm="https://auth.example.org/token",service="reg",scope="repository:a/b:pull,push"',
    [
      [
        "bearer",
        { realm: "https://auth.example.org/token", service: "reg", scope: "repository:a/b:pull,push" },
      ],
    ],
  ],
  [
    'Basic realm="x", Bearer realm="https://a/t" , service = reg',
    [
      ["basic", { realm: "x" }],
      ["bearer", { realm: "https://a/t", service: "reg" }],
    ],
  ],
  ['BEARER Realm="https://nvcr.io/proxy_auth"', [["bearer", { realm: "https://nvcr.io/proxy_auth" }]]],
  ["Bearer realm=https://a/t?x=1,service=s", [["bearer", { realm: "https://a/t?x=1", service: "s" }]]],
  ['Basic realm="say \\"hi\\", all"', [["basic", { realm: 'say "hi", all' }]]],
  ['Bearer realm="a",realm="b"', [["bearer", { realm: "a" }]]],
  [
    'Negotiate, Basic realm=""',
    [
      ["negotiate", {}],
      ["basic", { realm: "" }],
    ],
  ],
  ["", []],
])("%s", (header, expected) => {
  expect(plain(header)).toEqual(expected as never);
});

test("any header is read, or refused with an AppError", () => {
  const pieces = fc.array(
    fc.oneof(
      fc.constantFrom("Bearer", "Basic", "realm=", '"', ",", " ", "=", "\\", 'realm="https://a/t"'),
      fc.string(),
    ),
    { maxLength: 30 },
  );
  fc.assert(
    fc.property(pieces, (parts) => {
      const header = parts.join("");
      expect(parseChallenges(header)).toBeArray();
      try {
        readDemand(header, "https://reg.example.org");
      } catch (error) {
        expect(error).toBeInstanceOf(AppError);
      }
    }),
    { seed: 3, numRuns: 1000 },
  );
});

test("a header built to be slow is read at once, one without end refused", () => {
  const start = performance.now();
  parseChallenges(`Bearer realm="${"\\\\".repeat(8000)}`);
  expect(performance.now() - start).toBeLessThan(1000);
  expect(() => parseChallenges("x".repeat(20_000))).toThrow(AppError);
});

test("Bearer comes before Basic, whatever the order", () => {
  const { auth } = readDemand(
    'Basic realm="x", Bearer realm="https://auth.example.org/t"',
    "https://reg.example.org",
  );
  expect(auth).toMatchObject({ kind: "bearer", service: undefined });
});

test.each([
  ["without TLS for a registry with it", "http://reg.example.org/t", "https://reg.example.org"],
  ["off this machine without TLS", "http://auth.example.org/t", "http://127.0.0.1:5000"],
  ["with a login in it", "https://u:p@auth.example.org/t", "https://reg.example.org"],
  ["of another kind", "file:///etc/passwd", "https://reg.example.org"],
  ["that is no address", "https://", "https://reg.example.org"],
])("a token endpoint %s is refused", (_, realm, base) => {
  expect(() => readDemand(`Bearer realm="${realm}"`, base)).toThrow(AppError);
});

test("a relative token endpoint is the registry's own", () => {
  const { auth } = readDemand('Bearer realm="/token"', "http://127.0.0.1:5000");
  expect(auth).toMatchObject({ realm: new URL("http://127.0.0.1:5000/token") });
});
