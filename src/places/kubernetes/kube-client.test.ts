/** Faults that a real API server shows seldom, by a scripted one; what it does every day is in test/kube-delivery.test.ts and test/kube-sign-in.test.ts. */
import { afterAll, expect, test } from "bun:test";
import { type AppError, type Context, isAppError, Secret, silentLogger } from "#core";
import { createFetch } from "#system";
import type { CredentialSource } from "./credentials.ts";
import { createKubeClient, type KubeClient } from "./kube-client.ts";
import { createKubeSend } from "./kube-request.ts";

const context: Context = { signal: new AbortController().signal, log: silentLogger };
const servers: Bun.Server<undefined>[] = [];
afterAll(() => Promise.all(servers.map((server) => server.stop(true))));

interface Scripted {
  readonly client: KubeClient;
  readonly asked: readonly string[];
  readonly waited: readonly number[];
}

/** A server that gives these answers in order. */
function script(
  answers: readonly ((request: Request) => Response | Promise<Response>)[],
  credentials: CredentialSource = {
    canRenew: false,
    read: () => Promise.resolve({ authorization: undefined, identity: undefined }),
  },
): Scripted {
  const asked: string[] = [];
  const waited: number[] = [];
  const left = [...answers];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: async (request) => {
      const url = new URL(request.url);
      asked.push(`${request.method} ${url.pathname}${url.search}`);
      return (await left.shift()?.(request)) ?? new Response("nothing more is scripted", { status: 500 });
    },
  });
  servers.push(server);
  const send = createKubeSend({
    connection: {
      server: `http://127.0.0.1:${server.port}`,
      namespace: "default",
      tls: {},
      proxy: undefined,
      user: { identity: undefined, headers: {}, token: { kind: "none" } },
    },
    credentials,
    fetch: createFetch({ environment: {}, userAgent: "test" }),
    wait: (ms) => {
      waited.push(ms);
      return Promise.resolve();
    },
  });
  return { client: createKubeClient(send), asked, waited };
}

const status =
  (code: number, body: object = {}, headers: Record<string, string> = {}) =>
  (): Response =>
    Response.json({ kind: "Status", code, ...body }, { status: code, headers });
const page =
  (names: readonly string[], next = "") =>
  (): Response =>
    Response.json({
      metadata: { resourceVersion: "9", continue: next },
      items: names.map((name) => ({ metadata: { name } })),
    });

async function faultOf(work: Promise<unknown>): Promise<AppError> {
  const fault: unknown = await work.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (isAppError(fault)) return fault;
  throw new Error(`no AppError: ${String(fault)}`);
}

test("429 and 503 are waited out as the server says, five times", async () => {
  const good = script([
    status(429, {}, { "retry-after": "3" }),
    status(503, { details: { retryAfterSeconds: 2 } }),
    () => Response.json({ metadata: { name: "x" } }),
  ]);
  expect((await good.client.get(context, "/api/v1/namespaces/x"))?.metadata.name).toBe("x");
  expect(good.waited).toEqual([3000, 2000]);
  const bad = script(Array.from({ length: 6 }, () => status(429, {}, { "retry-after": "100000" })));
  expect((await faultOf(bad.client.get(context, "/api/v1/namespaces/x"))).code).toBe("BUSY");
  expect([bad.asked.length, bad.waited]).toEqual([5, [30_000, 30_000, 30_000, 30_000]]);
});

test("a list goes through its pages, and from the beginning where they grew too old", async () => {
  const { client, asked } = script([
    page(["a", "b"], "next"),
    status(410, { reason: "Expired" }),
    page(["a", "b", "c"]),
  ]);
  const found = await client.list(context, "/api/v1/secrets", { fields: "metadata.name=x" });
  expect([found.items.map(({ metadata }) => metadata.name), found.resourceVersion]).toEqual([
    ["a", "b", "c"],
    "9",
  ]);
  expect(asked).toEqual([
    "GET /api/v1/secrets?limit=2500&fieldSelector=metadata.name%3Dx",
    "GET /api/v1/secrets?limit=2500&continue=next&fieldSelector=metadata.name%3Dx",
    "GET /api/v1/secrets?fieldSelector=metadata.name%3Dx",
  ]);
});

test("a token that is refused is renewed once, and its header is in no error", async () => {
  const tokens = [crypto.randomUUID(), crypto.randomUUID()];
  let asked = 0;
  const source: CredentialSource = {
    canRenew: true,
    read: (_context, refused) => {
      if (refused !== undefined) asked++;
      return Promise.resolve({
        authorization: new Secret(`Bearer ${tokens[asked] ?? ""}`),
        identity: undefined,
      });
    },
  };
  const seen: (string | null)[] = [];
  const note =
    (answer: () => Response) =>
    (request: Request): Response => {
      seen.push(request.headers.get("authorization"));
      return answer();
    };
  const { client } = script(
    [note(status(401)), note(() => Response.json({ metadata: { name: "x" } })), status(401), status(401)],
    source,
  );
  expect((await client.get(context, "/api/v1/namespaces/x"))?.metadata.name).toBe("x");
  expect(seen).toEqual(tokens.map((token) => `Bearer ${token}`));
  const fault = await faultOf(client.get(context, "/api/v1/namespaces/x"));
  expect(fault.code).toBe("UNAUTHORIZED");
  expect(Bun.inspect(fault)).not.toContain(tokens[1] ?? "none");
});

test("a Status is told in our words, without values that it quotes", async () => {
  const secret = crypto.randomUUID();
  const causes = (list: readonly object[]): object => ({ details: { causes: list }, message: secret });
  const cases: readonly (readonly [() => Response, string, RegExp])[] = [
    [
      status(
        409,
        causes([
          { reason: "FieldManagerConflict", message: 'conflict with "argocd" using v1', field: ".data" },
        ]),
      ),
      "CONFLICT",
      /argocd owns fields of it/,
    ],
    [status(409, { reason: "AlreadyExists", message: secret }), "ALREADY_EXISTS", /there already/],
    [status(409, { reason: "Conflict", message: secret }), "CONFLICT", /changed meanwhile/],
    [
      status(403, { details: { causes: [{ reason: "NamespaceTerminating" }] } }),
      "NOT_FOUND",
      /being deleted/,
    ],
    [status(422, causes([{ reason: "FieldValueTooLong", field: "data" }])), "TOO_LARGE", /1 MiB/],
    [status(422, causes([{ reason: "FieldValueInvalid", field: "type" }])), "INVALID_INPUT", /another type/],
    [status(422, causes([{ reason: "FieldValueForbidden", field: "data" }])), "INVALID_INPUT", /immutable/],
    [
      status(422, causes([{ reason: "FieldValueInvalid", field: "metadata.name" }])),
      "INVALID_INPUT",
      /\(metadata\.name\)/,
    ],
    [status(500, { message: secret, reason: "InternalError" }), "KUBERNETES_FAILED", /500 \(InternalError\)/],
    [() => new Response(`<html>${secret}`, { status: 502 }), "KUBERNETES_FAILED", /status 502/],
    [() => new Response(`<html>${secret}`), "KUBERNETES_FAILED", /not JSON/],
  ];
  for (const [answer, code, words] of cases) {
    const { client } = script([answer]);
    const fault = await faultOf(client.apply(context, "/api/v1/namespaces/a/secrets/b", {}));
    expect([fault.code, words.test(fault.message), fault.message]).toEqual([code, true, fault.message]);
    expect(`${fault.message}${fault.hint}${JSON.stringify(fault.details)}`).not.toContain(secret);
  }
});

test("what is not there is a value, and its removal no error", async () => {
  const { client, asked } = script([status(404), status(404)]);
  expect(await client.get(context, "/api/v1/namespaces/a/secrets/b")).toBeUndefined();
  expect(await client.remove(context, "/api/v1/namespaces/a/secrets/b", { uid: "1" })).toBe(false);
  expect(asked).toEqual(["GET /api/v1/namespaces/a/secrets/b", "DELETE /api/v1/namespaces/a/secrets/b"]);
});

test("a watch goes on from a version, and gives its events", async () => {
  const line = JSON.stringify({ type: "ADDED", object: { metadata: { name: "a", resourceVersion: "12" } } });
  const { client, asked } = script([() => new Response(`${line}\n`)]);
  const events = await Array.fromAsync(
    client.watch(context, "/api/v1/namespaces", { resourceVersion: "9", labels: "team=ml" }),
  );
  expect(events.map(({ type, object }) => [type, object.metadata.name])).toEqual([["ADDED", "a"]]);
  expect(asked).toEqual([
    "GET /api/v1/namespaces?watch=true&allowWatchBookmarks=true&resourceVersion=9&labelSelector=team%3Dml",
  ]);
});
