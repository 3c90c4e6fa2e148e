import { afterEach, expect, test } from "bun:test";
import fc from "fast-check";
import { Secret, silentLogger } from "#core";
import { createFetch, type Fetch } from "#system";
import { type ScriptedRegistry, startScriptedRegistry } from "../../test/support/scripted-registry.ts";
import { parseRateLimit } from "./rate-limit.ts";
import { createRegistryClient } from "./registry-client.ts";

const context = { signal: new AbortController().signal, log: silentLogger };
let hub: ScriptedRegistry | undefined;
afterEach(async () => {
  await hub?.stop();
  hub = undefined;
});

/** Docker Hub with its two hosts, played by one on loopback. */
function playHub(headers: Readonly<Record<string, string>>): Fetch {
  hub = startScriptedRegistry((asked) => {
    if (asked.path.startsWith("/token")) return Response.json({ token: "t" });
    if (asked.headers.authorization !== "Bearer t") {
      const value = `Bearer realm="https://auth.docker.io/token",service="registry.docker.io"`;
      return new Response(null, { status: 401, headers: { "www-authenticate": value } });
    }
    return new Response(null, { status: 200, headers });
  });
  const { host } = hub;
  const real = createFetch({ environment: {}, userAgent: "test" });
  return (url, request) =>
    real(url.replace(/^https:\/\/(?:registry-1|auth)\.docker\.io/, `http://${host}`), request);
}

function clientOf(fetch: Fetch, registry = "docker.io") {
  const credentials = { username: "acme", secret: new Secret(crypto.randomUUID()) };
  return createRegistryClient({ registry, fetch, credentials });
}

test("Docker Hub says how many pulls are left, and whose they are", async () => {
  const fetch = playHub({
    "ratelimit-limit": "100;w=21600",
    "ratelimit-remaining": "7;w=21600",
    "docker-ratelimit-source": "0b8ed1a3-5f5e-4b43-9d0c-7a2f0e3f1c55",
  });
  expect(await clientOf(fetch).readRateLimit(context)).toEqual({
    limit: 100,
    remaining: 7,
    windowSeconds: 21600,
    countedBy: "account",
  });
  const lines = hub?.lines() ?? [];
  expect(lines.some((line) => line.includes("scope=repository%3Aratelimitpreview%2Ftest%3Apull"))).toBe(true);
  // GET would be a pull.
  expect(lines.filter((line) => line.startsWith("GET /v2/rate"))).toEqual([]);
});

test.each([["192.0.2.7"], ["2001:db8::7"]])(
  "counted by the address %s, the login was not",
  async (source) => {
    const fetch = playHub({
      "ratelimit-limit": "10;w=3600",
      "ratelimit-remaining": "0;w=3600",
      "docker-ratelimit-source": source,
    });
    expect((await clientOf(fetch).readRateLimit(context))?.countedBy).toBe("address");
  },
);

test("a plan without a limit, and another registry, have nothing to say", async () => {
  expect(await clientOf(playHub({})).readRateLimit(context)).toBeUndefined();
  const nobody: Fetch = () => Promise.reject(new Error("nobody is asked"));
  expect(await clientOf(nobody, "registry.example").readRateLimit(context)).toBeUndefined();
});

test("a header is two numbers or nothing", () => {
  expect(parseRateLimit("100;w=21600")).toEqual({ count: 100, windowSeconds: 21600 });
  expect(parseRateLimit(" 5 ")).toEqual({ count: 5, windowSeconds: undefined });
  for (const text of [null, "", "many", "-1", "1;w=", "1;x=2", "1e9"])
    expect(parseRateLimit(text)).toBeUndefined();
  fc.assert(
    fc.property(fc.string(), (text) => {
      const parsed = parseRateLimit(text);
      expect(parsed === undefined || Number.isSafeInteger(parsed.count)).toBe(true);
    }),
    { seed: 3, numRuns: 300 },
  );
});
