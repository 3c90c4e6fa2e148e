import { afterEach, describe, expect, test } from "bun:test";
import { Secret, silentLogger } from "#core";
import { createFetch } from "#system";
import {
  type Asked,
  type ScriptedRegistry,
  startScriptedRegistry,
} from "../../test/support/scripted-registry.ts";
import type { RegistryClientOptions } from "./contract.ts";
import { createRegistryClient, type LoginClient } from "./registry-client.ts";

const context = { signal: new AbortController().signal, log: silentLogger };
const fetch = createFetch({ environment: {}, userAgent: "wharf/test" });
const secret = crypto.randomUUID();
const login = { username: "alice", secret: new Secret(secret) };
const basic = `Basic ${btoa(`alice:${secret}`)}`;

let started: ScriptedRegistry[] = [];
afterEach(async () => {
  for (const registry of started) await registry.stop();
  started = [];
});

interface Script {
  /** Answers the token endpoint. */
  token: (asked: Asked) => Response;
  /** Answers with a token; default 404, but 200 for /v2/. */
  serve?: (asked: Asked) => Response | undefined;
  service?: string;
}

function bearerPeer(script: Script): ScriptedRegistry {
  const registry = startScriptedRegistry((asked) => {
    if (asked.path.startsWith("/token")) return script.token(asked);
    if (asked.headers.authorization?.startsWith("Bearer ") !== true) return challenge(registry, script);
    const own = script.serve?.(asked);
    return own ?? (asked.path === "/v2/" ? new Response("{}") : undefined);
  });
  started.push(registry);
  return registry;
}

function challenge(registry: ScriptedRegistry, script: Script, more = ""): Response {
  const service = script.service === undefined ? "" : `,service="${script.service}"`;
  const value = `Bearer realm="http://${registry.host}/token"${service}${more}`;
  return new Response(null, { status: 401, headers: { "www-authenticate": value } });
}

function clientOf(registry: ScriptedRegistry, options: Partial<RegistryClientOptions> = {}): LoginClient {
  return createRegistryClient({ registry: registry.host, plainHttp: true, fetch, ...options });
}

const tokens = (registry: ScriptedRegistry): Asked[] =>
  registry.asked.filter((asked) => asked.path.startsWith("/token"));

describe("the token exchange", () => {
  test("GETs with Basic, service and scope, once for each scope", async () => {
    const registry = bearerPeer({
      service: "reg & co",
      token: () => Response.json({ token: "t1", expires_in: 300 }),
    });
    const client = clientOf(registry, { credentials: login });
    await client.headManifest(context, "a/b", "x");
    await client.headManifest(context, "a/b", "y");
    await client.headManifest(context, "a/c", "x");
    expect(tokens(registry).map((asked) => asked.path)).toEqual([
      "/token?service=reg+%26+co&scope=repository%3Aa%2Fb%3Apull&client_id=wharf&account=alice",
      "/token?service=reg+%26+co&scope=repository%3Aa%2Fc%3Apull&client_id=wharf&account=alice",
    ]);
    expect(tokens(registry).every((asked) => asked.headers.authorization === basic)).toBeTrue();
  });

  test("takes access_token, and 60 seconds where less or nothing is said", async () => {
    let now = 1_000_000;
    const registry = bearerPeer({ token: () => Response.json({ access_token: "t", expires_in: 1 }) });
    const client = clientOf(registry, { now: () => now });
    await client.headManifest(context, "a/b", "x");
    now += 54_000;
    await client.headManifest(context, "a/b", "x");
    expect(tokens(registry)).toHaveLength(1);
    now += 7000;
    await client.headManifest(context, "a/b", "x");
    expect(tokens(registry)).toHaveLength(2);
    expect(tokens(registry)[0]?.headers.authorization).toBeUndefined();
  });

  test("POSTs an identity token, in the body alone", async () => {
    const registry = bearerPeer({ service: "s", token: () => Response.json({ access_token: "t" }) });
    const client = clientOf(registry, { credentials: { ...login, identityToken: true } });
    await client.headManifest(context, "a/b", "x");
    const [asked] = tokens(registry);
    expect(asked?.method).toBe("POST");
    expect(asked?.path).toBe("/token");
    expect(asked?.headers.authorization).toBeUndefined();
    expect(Object.fromEntries(new URLSearchParams(asked?.body))).toEqual({
      client_id: "wharf",
      service: "s",
      scope: "repository:a/b:pull",
      grant_type: "refresh_token",
      refresh_token: secret,
    });
  });

  test("POSTs the password where the endpoint knows no GET", async () => {
    const registry = bearerPeer({
      token: (asked) =>
        asked.method === "GET" ? new Response(null, { status: 405 }) : Response.json({ token: "t" }),
    });
    await clientOf(registry, { credentials: login }).headManifest(context, "a/b", "x");
    expect(tokens(registry).map((asked) => asked.method)).toEqual(["GET", "POST"]);
  });

  test("an identity token is not taken along by a redirect to another place", async () => {
    const elsewhere = startScriptedRegistry(() => Response.json({ token: "t" }));
    started.push(elsewhere);
    const headers = { location: `http://${elsewhere.host}/token` };
    const registry = bearerPeer({ token: () => new Response(null, { status: 307, headers }) });
    const client = clientOf(registry, { credentials: { ...login, identityToken: true } });
    await expect(client.getManifest(context, "a/b", "x")).rejects.toMatchObject({ code: "REGISTRY_FAILED" });
    expect(elsewhere.asked).toEqual([]);
  });

  test("a token that expired early is renewed, with the scope that the registry names", async () => {
    let minted = 0;
    const script: Script = {
      token: () => Response.json({ token: `t${++minted}` }),
      serve: (asked) =>
        asked.path === "/v2/" || asked.headers.authorization === "Bearer t2"
          ? new Response("{}", { headers: { "content-type": "application/json" } })
          : challenge(registry, script, ',scope="repository:up/stream:pull",error="insufficient_scope"'),
    };
    const registry = bearerPeer(script);
    const client = clientOf(registry, { credentials: login });
    expect(await client.headManifest(context, "a/b", "x")).toBeDefined();
    const scopes = new URLSearchParams(tokens(registry)[1]?.path.split("?")[1]).getAll("scope");
    expect(scopes).toEqual(["repository:a/b:pull", "repository:up/stream:pull"]);
    await client.headManifest(context, "a/b", "y");
    expect(minted).toBe(2);
  });

  test("a registry that goes on refusing is not asked for ever", async () => {
    let minted = 0;
    const script: Script = {
      token: () => Response.json({ token: `t${++minted}` }),
      serve: () => challenge(registry, script),
    };
    const registry = bearerPeer(script);
    const attempt = clientOf(registry, { credentials: login }).getManifest(context, "a/b", "x");
    // Harbor answers so to a login that is good and may not pull this.
    await expect(attempt).rejects.toMatchObject({ code: "DENIED", details: { status: 401 } });
    expect(minted).toBe(2);
  });

  test("the endpoint's reason is passed on, without the secret and fit to print", async () => {
    const message = `expired on 2026-01-01 \u001b[31m${secret} \u202e${btoa(`alice:${secret}`)}\n${"x".repeat(500)}`;
    const registry = bearerPeer({
      token: () => Response.json({ errors: [{ code: "UNAUTHORIZED", message }] }, { status: 401 }),
    });
    try {
      await clientOf(registry, { credentials: login }).getManifest(context, "a/b", "x");
      throw new Error("was let in");
    } catch (error) {
      const all = `${(error as Error).message} ${JSON.stringify(error)}`;
      expect(error).toMatchObject({
        code: "LOGIN_REFUSED",
        details: { reason: "UNAUTHORIZED", status: 401 },
      });
      expect(all).toContain("expired on 2026-01-01");
      expect(all).not.toContain(secret);
      expect(all).not.toContain(btoa(`alice:${secret}`));
      expect(all).not.toMatch(/[\p{Cc}\p{Cf}]/u);
      expect((error as Error).message.length).toBeLessThan(500);
    }
  });

  test.each([
    ["no JSON", () => new Response("hello")],
    ["no token", () => Response.json({ expires_in: 60 })],
    ["a token that would break the header", () => Response.json({ token: "a\r\nx: y" })],
  ])("an answer with %s is REGISTRY_FAILED", async (_, token) => {
    const attempt = clientOf(bearerPeer({ token })).getManifest(context, "a/b", "x");
    await expect(attempt).rejects.toMatchObject({ code: "REGISTRY_FAILED" });
  });

  test("a login is not sent to an endpoint that is not the pinned one (CVE-2026-33540)", async () => {
    const registry = bearerPeer({ token: () => Response.json({ token: "t" }) });
    const pinned = clientOf(registry, { credentials: login, realmHosts: ["auth.example.org"] });
    await expect(pinned.getManifest(context, "a/b", "x")).rejects.toMatchObject({
      code: "REGISTRY_FAILED",
      details: { realmHost: "127.0.0.1" },
    });
    expect(tokens(registry)).toEqual([]);
  });
});

describe("proveLogin", () => {
  const jwt = (sub: string): string => `h.${Buffer.from(JSON.stringify({ sub })).toString("base64url")}.s`;

  test("an endpoint that refuses anonymous proves the login", async () => {
    const registry = bearerPeer({
      token: (asked) =>
        asked.headers.authorization === basic
          ? Response.json({ token: "t" })
          : new Response(null, { status: 401 }),
    });
    expect(await clientOf(registry, { credentials: login }).proveLogin(context)).toMatchObject({
      outcome: "proved",
      realmHosts: ["127.0.0.1"],
    });
    const guess = { username: "alice", secret: new Secret("wrong") };
    await expect(clientOf(registry, { credentials: guess }).proveLogin(context)).rejects.toMatchObject({
      code: "LOGIN_REFUSED",
    });
  });

  test("where anonymous gets tokens too, the account in the token proves it", async () => {
    const registry = bearerPeer({
      token: (asked) => Response.json({ token: jwt(asked.headers.authorization === basic ? "alice" : "") }),
    });
    expect(await clientOf(registry, { credentials: login }).proveLogin(context)).toMatchObject({
      outcome: "proved",
      account: "alice",
    });
  });

  test("where an anonymous token is refused, the login's proves it", async () => {
    const registry = bearerPeer({
      token: (asked) => Response.json({ token: asked.headers.authorization === basic ? "own" : "anybody" }),
      serve: (asked) =>
        asked.headers.authorization === "Bearer anybody" ? new Response(null, { status: 401 }) : undefined,
    });
    expect(await clientOf(registry, { credentials: login }).proveLogin(context)).toMatchObject({
      outcome: "proved",
    });
  });

  test("where nothing tells the login from anonymous, it is not called proved", async () => {
    const registry = bearerPeer({ token: () => Response.json({ token: "opaque" }) });
    expect(await clientOf(registry, { credentials: login }).proveLogin(context)).toMatchObject({
      outcome: "accepted-unproved",
    });
    const sent = registry.asked.flatMap((asked) => asked.headers.authorization ?? []);
    expect(new Set(sent)).toEqual(new Set([basic, "Bearer opaque"]));
  });

  test("a registry whose token does not open it refuses the login", async () => {
    const registry = bearerPeer({
      token: () => Response.json({ token: "t" }),
      serve: () =>
        Response.json(
          { errors: [{ code: "UNAUTHORIZED", message: "the robot is disabled" }] },
          { status: 401 },
        ),
    });
    await expect(clientOf(registry, { credentials: login }).proveLogin(context)).rejects.toMatchObject({
      code: "LOGIN_REFUSED",
      details: { registryMessage: "the robot is disabled" },
    });
  });
});

describe("probePull", () => {
  test("a token endpoint that refuses is an answer, with its words", async () => {
    const registry = bearerPeer({
      token: () => Response.json({ errors: [{ message: "token revoked" }] }, { status: 401 }),
    });
    expect(await clientOf(registry, { credentials: login }).probePull(context, "a/b", "v1")).toEqual({
      allowed: false,
      status: 401,
      reason: "LOGIN_REFUSED",
      message: "token revoked",
    });
  });

  test("a 403 is an answer, and its reason is fetched by GET", async () => {
    const registry = bearerPeer({
      token: () => Response.json({ token: "t" }),
      serve: (asked) =>
        asked.path === "/v2/"
          ? undefined
          : Response.json({ errors: [{ code: "DENIED", message: "not a member" }] }, { status: 403 }),
    });
    expect(await clientOf(registry, { credentials: login }).probePull(context, "a/b", "v1")).toEqual({
      allowed: false,
      status: 403,
      reason: "DENIED",
      message: "not a member",
    });
  });
});
