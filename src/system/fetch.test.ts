import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { needs } from "../../test/support/programs.ts";
import { createFetch, type FetchRequest } from "./fetch.ts";
import { fetchFailure } from "./fetch-error.ts";

const bare = createFetch({ environment: {}, userAgent: "wharf/test" });
const signal = new AbortController().signal;
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

async function failureOf(attempt: Promise<unknown>): Promise<unknown> {
  try {
    await attempt;
  } catch (error) {
    return { code: (error as { code?: unknown }).code, failure: fetchFailure(error) };
  }
  return "no error";
}

/** A peer whose answers are written byte by byte, to inject faults. */
async function rawServer(
  answer: string,
  then: "end" | "stay",
): Promise<{ url: string; close: () => Promise<void> }> {
  const server: Server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => {
      socket.write(answer);
      if (then === "end") socket.end();
    });
    server.once("close", () => socket.destroy());
    closers.push(() => socket.destroy());
  });
  const closers: (() => void)[] = [];
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}/`,
    close: () =>
      new Promise((resolve) => {
        for (const close of closers) close();
        server.close(() => resolve());
      }),
  };
}

describe("over plain HTTP", () => {
  let server: Bun.Server<undefined>;
  let url: string;
  beforeAll(() => {
    server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      async fetch(request) {
        const { pathname } = new URL(request.url);
        if (pathname === "/gzip")
          return new Response(gzipSync("layer"), { headers: { "content-encoding": "gzip" } });
        if (pathname === "/moved") return new Response(null, { status: 307, headers: { location: "/x" } });
        if (pathname === "/large") return new Response("x".repeat(1000));
        return Response.json({
          headers: Object.fromEntries(request.headers),
          body: await request.text(),
        });
      },
    });
    url = `http://127.0.0.1:${server.port}`;
  });
  afterAll(() => server.stop(true));

  test("bodies come as they were sent, and nothing asks for compression", async () => {
    const answer = await bare(`${url}/gzip`, { signal });
    expect((await answer.readBytes(1000)).slice(0, 2)).toEqual(Uint8Array.of(0x1f, 0x8b));
    const { headers } = JSON.parse(text(await (await bare(url, { signal })).readBytes(10_000)));
    expect(headers["accept-encoding"]).toBe("identity");
    expect(headers["user-agent"]).toBe("wharf/test");
  });

  test("redirects are given back", async () => {
    const answer = await bare(`${url}/moved`, { signal });
    await answer.discard();
    expect([answer.status, answer.headers.get("location")]).toEqual([307, "/x"]);
  });

  test("an answer over the limit is TOO_LARGE", async () => {
    const answer = await bare(`${url}/large`, { signal });
    expect(await failureOf(answer.readBytes(999))).toMatchObject({ code: "TOO_LARGE" });
  });

  test("a stream is sent with the length that was said", async () => {
    const body = new Blob(["one", "two"]).stream() as ReadableStream<Uint8Array>;
    const request: FetchRequest = { method: "PUT", body, headers: { "content-length": "6" }, signal };
    const seen = JSON.parse(text(await (await bare(url, request)).readBytes(10_000)));
    expect([seen.body, seen.headers["content-length"]]).toEqual(["onetwo", "6"]);
  });

  test("an address with a login in it, or of another scheme, is never asked", async () => {
    for (const address of [url.replace("//", "//u:p@"), "file:///etc/passwd", "nonsense"])
      expect(await failureOf(bare(address, { signal }))).toMatchObject({ code: "INVALID_INPUT" });
  });

  test("the proxy of the given environment is used, the process's own is not looked at", async () => {
    const seen: string[] = [];
    const proxy = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch(request) {
        seen.push(`${request.url} ${request.headers.get("proxy-authorization")}`);
        return new Response("by proxy");
      },
    });
    try {
      const variable = `http://user:word@127.0.0.1:${proxy.port}`;
      const through = createFetch({ environment: { HTTP_PROXY: variable }, userAgent: "x" });
      expect(text(await (await through("http://reg.invalid/v2/", { signal })).readBytes(100))).toBe(
        "by proxy",
      );
      expect(seen).toEqual([`http://reg.invalid/v2/ Basic ${btoa("user:word")}`]);
      const before = process.env.HTTP_PROXY;
      process.env.HTTP_PROXY = variable;
      try {
        expect(await failureOf(bare("http://reg.invalid/", { signal }))).toEqual({
          code: "UNREACHABLE",
          failure: "no-such-host",
        });
      } finally {
        if (before === undefined) delete process.env.HTTP_PROXY;
        else process.env.HTTP_PROXY = before;
      }
      expect(seen).toHaveLength(1);
    } finally {
      await proxy.stop(true);
    }
  });
});

describe("faults", () => {
  test("nobody listens", async () => {
    const server = await rawServer("", "end");
    await server.close();
    expect(await failureOf(bare(server.url, { signal }))).toEqual({
      code: "UNREACHABLE",
      failure: "refused",
    });
  });

  test("a body cut off is an error, not a short body", async () => {
    const server = await rawServer("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", "end");
    try {
      const attempt = bare(server.url, { signal }).then((answer) => answer.readBytes(100));
      expect(await failureOf(attempt)).toEqual({ code: "UNREACHABLE", failure: "reset" });
    } finally {
      await server.close();
    }
  });

  test("silence before the answer, and inside it, ends", async () => {
    const impatient = createFetch({
      environment: {},
      userAgent: "x",
      answerTimeoutMs: 100,
      idleTimeoutMs: 100,
    });
    for (const begun of ["", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"]) {
      const server = await rawServer(begun, "stay");
      try {
        const attempt = impatient(server.url, { signal }).then((answer) => answer.readBytes(100));
        expect(await failureOf(attempt)).toEqual({ code: "UNREACHABLE", failure: "timeout" });
      } finally {
        await server.close();
      }
    }
  });

  test("the caller's signal stops it, before and inside the answer", async () => {
    for (const begun of ["", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"]) {
      const server = await rawServer(begun, "stay");
      const controller = new AbortController();
      try {
        const attempt = bare(server.url, { signal: controller.signal }).then((answer) =>
          answer.readBytes(99),
        );
        setTimeout(() => controller.abort(), 50);
        expect(await failureOf(attempt)).toMatchObject({ code: "INTERRUPTED" });
      } finally {
        await server.close();
      }
    }
  });

  test("TLS asked of a plain port says so", async () => {
    const server = await rawServer("HTTP/1.1 400 Bad Request\r\n\r\n", "end");
    try {
      expect(await failureOf(bare(server.url.replace("http:", "https:"), { signal }))).toEqual({
        code: "TLS_FAILED",
        failure: "not-tls",
      });
    } finally {
      await server.close();
    }
  });
});

needs("openssl")("a private CA is trusted where it is given, and only there", async () => {
  const folder = mkdtempSync(join(tmpdir(), "wharf-fetch-"));
  const [key, certificate] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const command = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=wharf-test
    -addext subjectAltName=IP:127.0.0.1,DNS:registry.invalid -keyout ${key} -out ${certificate}`;
  const made = Bun.spawnSync(["openssl", ...command.split(/\s+/)]);
  expect(made.exitCode).toBe(0);
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    tls: { key: readFileSync(key), cert: readFileSync(certificate) },
    fetch: () => new Response("private"),
  });
  try {
    const url = `https://127.0.0.1:${server.port}/`;
    const ca = readFileSync(certificate, "utf8");
    const distrusted = { code: "TLS_FAILED", failure: "certificate" };
    expect(await failureOf(bare(url, { signal }))).toEqual(distrusted);
    expect(text(await (await bare(url, { signal, ca })).readBytes(100))).toBe("private");
    expect(await failureOf(bare(url, { signal }))).toEqual(distrusted);
    expect(await failureOf(bare(url.replace("127.0.0.1", "localhost"), { signal, ca }))).toEqual(distrusted);
    await throughTunnel(server.port ?? 0, async (environment) => {
      const tunnelled = createFetch({ environment, userAgent: "x" });
      const answer = await tunnelled("https://registry.invalid/v2/", { signal, ca });
      expect(text(await answer.readBytes(100))).toBe("private");
      // The tunnel that is open serves nobody who does not trust the CA.
      expect(await failureOf(tunnelled("https://registry.invalid/v2/", { signal }))).toEqual(distrusted);
      expect(await failureOf(tunnelled("https://other.invalid/v2/", { signal, ca }))).toEqual(distrusted);
    });
    for (const broken of ["", "nonsense", ca.replace("MII", "AAA")])
      expect(await failureOf(bare(url, { signal, ca: broken }))).toMatchObject({ code: "CONFIG_INVALID" });
  } finally {
    await server.stop(true);
    rmSync(folder, { recursive: true });
  }
});

/** A proxy that tunnels every CONNECT to one port of this machine. */
async function throughTunnel(
  port: number,
  use: (environment: Record<string, string>) => Promise<void>,
): Promise<void> {
  const sockets = new Set<{ destroy(): unknown }>();
  const proxy = createServer((socket) => {
    sockets.add(socket.on("error", () => undefined));
    socket.once("data", () => {
      const peer = connect(port, "127.0.0.1", () => {
        socket.write("HTTP/1.1 200 Connected\r\n\r\n");
        socket.pipe(peer).pipe(socket);
      });
      sockets.add(peer.on("error", () => undefined));
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  try {
    const address = proxy.address() as { port: number };
    await use({ HTTPS_PROXY: `http://127.0.0.1:${address.port}` });
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => proxy.close(resolve));
  }
}
