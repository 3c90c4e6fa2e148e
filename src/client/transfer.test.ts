import { afterEach, describe, expect, test } from "bun:test";
import { type Context, silentLogger } from "#core";
import { digestOf, mediaTypes } from "#oci";
import { createFetch } from "#system";
import {
  type Asked,
  type RawServer,
  type ScriptedRegistry,
  startRawServer,
  startScriptedRegistry,
} from "../../test/support/scripted-registry.ts";
import { createRegistryClient, type LoginClient } from "./registry-client.ts";

const context = { signal: new AbortController().signal, log: silentLogger };
const fetch = createFetch({ environment: {}, userAgent: "wharf/test" });
const text = "all the bytes of one layer";
const digest = digestOf(text);

let stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops) await stop();
  stops = [];
});

const clientOf = (host: string): LoginClient =>
  createRegistryClient({ registry: host, plainHttp: true, fetch, wait: () => Promise.resolve() });

/** A registry that asks for no login. */
function peer(answer: (asked: Asked) => Response | undefined): ScriptedRegistry {
  const registry = startScriptedRegistry((asked) =>
    asked.path === "/v2/" ? new Response("{}") : answer(asked),
  );
  stops.push(() => registry.stop());
  return registry;
}

function rawPeer(answer: (request: string) => string, isHeld = false): RawServer {
  const pong = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
  const server = startRawServer(
    (request) => (request.startsWith("GET /v2/ ") ? pong : answer(request)),
    isHeld,
  );
  stops.push(() => server.stop());
  return server;
}

const pull = async (host: string, sizeBytes?: number): Promise<string | undefined> => {
  const wanted = { digest, ...(sizeBytes === undefined ? {} : { sizeBytes }) };
  const blob = await clientOf(host).getBlob(context, "a/b", wanted);
  return blob && new Response(blob.body).text();
};

describe("a blob that is pulled", () => {
  const reply = (status: string, body: string, length: number, more = ""): string =>
    `HTTP/1.1 ${status}\r\nContent-Length: ${length}\r\n${more}\r\n${body}`;

  test("is taken up again where it was cut off", async () => {
    const server = rawPeer((request) => {
      const from = Number(/range: bytes=(\d+)-/i.exec(request)?.[1] ?? 0);
      const body = text.slice(from, from + 9);
      if (from === 0) return reply("200 OK", body, text.length);
      const range = `Content-Range: bytes ${from}-${text.length - 1}/${text.length}\r\n`;
      return reply("206 Partial Content", body, text.length - from, range);
    }, true);
    const blob = await clientOf(server.host).getBlob(context, "a/b", { digest, sizeBytes: text.length });
    let received = "";
    for await (const chunk of blob?.body ?? []) {
      received += new TextDecoder().decode(chunk);
      server.cut();
    }
    expect(received).toBe(text);
    expect(server.requests.flatMap((request) => /range: (\S+)/i.exec(request)?.[1] ?? [])).toEqual([
      "bytes=9-",
      "bytes=18-",
    ]);
  });

  test("is right from a registry that knows no ranges", async () => {
    let tries = 0;
    const server = rawPeer(() => reply("200 OK", text.slice(0, 10 * ++tries), text.length));
    expect(await pull(server.host)).toBe(text);
  });

  test("is given up when it never comes", async () => {
    const server = rawPeer(() => reply("200 OK", text.slice(0, 5), text.length));
    await expect(pull(server.host)).rejects.toMatchObject({ code: "UNREACHABLE" });
    // Six openings, each of them tried five times at most.
    expect(server.requests.length).toBeLessThan(40);
  });

  test("must continue where it was asked to", async () => {
    const server = rawPeer(
      (request) =>
        /range:/i.test(request)
          ? reply("206 Partial Content", "x", 1, "Content-Range: bytes 0-0/26\r\n")
          : reply("200 OK", text.slice(0, 5), text.length),
      true,
    );
    const blob = await clientOf(server.host).getBlob(context, "a/b", { digest });
    const reader = blob?.body.getReader();
    await reader?.read();
    server.cut();
    await expect(reader?.read()).rejects.toMatchObject({ code: "REGISTRY_FAILED" });
  });

  test("must have its digest and its size", async () => {
    const changed = peer(() => new Response(text.replace("all", "ALL")));
    await expect(pull(changed.host)).rejects.toMatchObject({ code: "DIGEST_INVALID" });
    const longer = peer(() => new Response(`${text}!`));
    await expect(pull(longer.host, text.length)).rejects.toMatchObject({ code: "SIZE_INVALID" });
    const endless = peer(
      () =>
        new Response(
          new ReadableStream({
            pull(controller) {
              controller.enqueue(new TextEncoder().encode(text));
            },
          }),
        ),
    );
    await expect(pull(endless.host, text.length)).rejects.toMatchObject({ code: "SIZE_INVALID" });
  });

  test("may be let go in the middle", async () => {
    const registry = peer(() => new Response(text));
    const blob = await clientOf(registry.host).getBlob(context, "a/b", { digest });
    const reader = blob?.body.getReader();
    await reader?.read();
    await reader?.cancel();
    expect(registry.lines()).toEqual(["GET /v2/", `GET /v2/a/b/blobs/${digest}`]);
  });
});

test("a manifest that was changed on the way is refused, by digest and by tag", async () => {
  const body = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] });
  const registry = peer(
    () => new Response(body, { headers: { "docker-content-digest": digestOf("another") } }),
  );
  for (const key of [digestOf("another"), "v1"]) {
    const attempt = clientOf(registry.host).getManifest(context, "a/b", key);
    await expect(attempt).rejects.toMatchObject({ code: "DIGEST_INVALID" });
  }
  const right = await clientOf(registry.host).getManifest(context, "a/b", digestOf(body));
  expect(right?.digest).toBe(digestOf(body));
});

describe("a blob that is pushed", () => {
  /** Takes chunks as a registry does; `faults` answers instead. */
  function uploadPeer(faults: (asked: Asked, held: string) => Response | undefined) {
    const state = { held: "", committed: "" };
    const registry = peer((asked) => {
      const own = faults(asked, state.held);
      if (own !== undefined) return own;
      const range = { range: `0-${Math.max(0, state.held.length - 1)}` };
      if (asked.method === "POST") {
        // Relative, with a state that must come back byte for byte.
        return new Response(null, { status: 202, headers: { location: "up/1?_state=a%2Fb%3D%3D&x" } });
      }
      if (asked.method === "GET") return new Response(null, { status: 204, headers: range });
      if (asked.method === "PATCH") {
        state.held += asked.body;
        return new Response(null, {
          status: 202,
          headers: { range: `0-${state.held.length - 1}`, location: asked.path },
        });
      }
      if (asked.method === "PUT") {
        state.committed = state.held + asked.body;
        return new Response(null, { status: 201 });
      }
      return asked.method === "HEAD" && state.committed !== "" ? new Response(null) : undefined;
    });
    return { registry, state };
  }
  const push = (registry: ScriptedRegistry, chunkBytes?: number) =>
    clientOf(registry.host).uploadBlob(context, "a/b", {
      digest,
      sizeBytes: text.length,
      content: new Blob([text]),
      ...(chunkBytes === undefined ? {} : { chunkBytes }),
    });

  test("goes in one PUT, to the location as it was given", async () => {
    const { registry, state } = uploadPeer(() => undefined);
    expect(await push(registry)).toBe("sent");
    expect(state.committed).toBe(text);
    expect(registry.asked.at(-1)?.path).toBe(
      `/v2/a/b/blobs/uploads/up/1?_state=a%2Fb%3D%3D&x&digest=${encodeURIComponent(digest)}`,
    );
  });

  test("goes in chunks, each with its range", async () => {
    const { registry, state } = uploadPeer(() => undefined);
    await push(registry, 10);
    expect(state.committed).toBe(text);
    const ranges = registry.asked.flatMap((asked) => asked.headers["content-range"] ?? []);
    expect(ranges).toEqual(["0-9", "10-19", "20-25"]);
  });

  test("takes 201 and 204 for a chunk, and the registry's least size", async () => {
    let status = 201;
    const { registry } = uploadPeer((asked) => {
      if (asked.method === "PATCH")
        return new Response(null, { status: status === 201 ? (status = 204) : 201 });
      if (asked.method !== "POST") return undefined;
      return new Response(null, {
        status: 202,
        headers: { location: "/up/1", "oci-chunk-min-length": "20" },
      });
    });
    expect(await push(registry, 5)).toBe("sent");
    expect(
      registry.asked.filter((asked) => asked.method === "PATCH").map((asked) => asked.body.length),
    ).toEqual([20, 6]);
  });

  test("asks after a 416 how far it is, and goes on from there", async () => {
    let isFirst = true;
    const { registry, state } = uploadPeer((asked, held) => {
      if (asked.method !== "PATCH" || held.length !== 10 || !isFirst) return undefined;
      isFirst = false;
      return new Response(null, { status: 416 });
    });
    expect(await push(registry, 10)).toBe("sent");
    expect(state.committed).toBe(text);
  });

  test("is given up when the registry never agrees, and says why when it refuses", async () => {
    const never = uploadPeer((asked) =>
      asked.method === "PATCH" ? new Response(null, { status: 416 }) : undefined,
    );
    await expect(push(never.registry, 10)).rejects.toMatchObject({ code: "UNREACHABLE" });
    const full = uploadPeer((asked) =>
      asked.method === "PUT"
        ? Response.json({ errors: [{ code: "SIZE_INVALID", message: "quota" }] }, { status: 413 })
        : undefined,
    );
    await expect(push(full.registry)).rejects.toMatchObject({
      code: "TOO_LARGE",
      details: { registryMessage: "quota" },
    });
  });

  test("is not sent over HTTP where the registry has TLS, nor shown the login elsewhere", async () => {
    const elsewhere = startScriptedRegistry(() => new Response(null, { status: 201 }));
    stops.push(() => elsewhere.stop());
    const { registry } = uploadPeer((asked) =>
      asked.method === "POST"
        ? new Response(null, { status: 202, headers: { location: `http://${elsewhere.host}/up` } })
        : undefined,
    );
    expect(await push(registry)).toBe("sent");
    expect(elsewhere.asked[0]?.headers.authorization).toBeUndefined();
    expect(elsewhere.asked[0]?.body).toBe(text);
  });

  test("mounting that is not possible cancels what the registry began", async () => {
    const { registry } = uploadPeer(() => undefined);
    expect(await clientOf(registry.host).mountBlob(context, "a/b", "c/d", digest)).toBeFalse();
    expect(registry.lines().at(-1)).toBe("DELETE /v2/a/b/blobs/uploads/up/1?_state=a%2Fb%3D%3D&x");
  });
});

describe("lists", () => {
  const page = (tags: unknown, link?: string): Response =>
    Response.json({ tags }, link === undefined ? {} : { headers: { link: `<${link}>; rel="next"` } });

  test("follow pages, relative and with another scheme before the same host", async () => {
    const registry = peer((asked): Response => {
      if (asked.path.endsWith("last=a"))
        return page(["b"], `https://${registry.host}/v2/a/b/tags/list?last=b`);
      return asked.path.endsWith("last=b") ? page(null) : page(["a"], "/v2/a/b/tags/list?last=a");
    });
    expect(await clientOf(registry.host).listTags(context, "a/b")).toEqual(["a", "b"]);
  });

  test.each([
    ["leads to another host", () => page(["a"], "http://elsewhere.invalid/")],
    ["never ends", () => page(["a"], "/v2/a/b/tags/list?n=1000")],
    ["holds what is no tag", () => page(["../../etc"])],
    ["is not JSON", () => new Response("<html>")],
  ])("one that %s is refused", async (_, answer) => {
    const attempt = clientOf(peer(answer).host).listTags(context, "a/b");
    await expect(attempt).rejects.toMatchObject({ code: "REGISTRY_FAILED" });
  });

  test("referrers are filtered here where the registry does not", async () => {
    const about = (artifactType: string) => ({
      mediaType: mediaTypes.ociManifest,
      digest: digestOf(artifactType),
      size: 1,
      artifactType,
    });
    const index = {
      schemaVersion: 2,
      mediaType: mediaTypes.ociIndex,
      manifests: [about("x/a"), about("x/b")],
    };
    const client = clientOf(peer(() => Response.json(index)).host);
    expect(await client.referrers(context, "a/b", digest)).toHaveLength(2);
    expect((await client.referrers(context, "a/b", digest, "x/b")).map((one) => one.digest)).toEqual([
      digestOf("x/b"),
    ]);
  });
});

test("what is no registry is said to be none", async () => {
  const site = startScriptedRegistry(() => new Response("<html>not found</html>", { status: 404 }));
  stops.push(() => site.stop());
  await expect(clientOf(site.host).ping(context)).rejects.toMatchObject({
    code: "REGISTRY_FAILED",
    hint: "check the name: this does not look like a registry",
  });
});

test("the registry's warning is logged, fit to print", async () => {
  const warnings: unknown[] = [];
  const log = { ...silentLogger, warn: (_: string, fields?: object) => warnings.push(fields) };
  const noting: Context = { ...context, log };
  const registry = peer(
    () => new Response(null, { headers: { warning: '299 - "this repository\tmoves in May"' } }),
  );
  await clientOf(registry.host).hasBlob(noting, "a/b", digest);
  expect(warnings).toEqual([{ registry: registry.host, warning: "this repository moves in May" }]);
});
