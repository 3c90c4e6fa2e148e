/** A server that is started: where it says it is, who may ask what, and what its connections may do. */
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { needs, needsThat, programPath } from "../../test/support/programs.ts";
import { getFrom, useServers } from "../../test/support/use-servers.ts";
import type { RunningServer } from "./start-server.ts";

const it = useServers();
const { start } = it;
let folders = 0;

/** A port that nobody listens on. */
async function freePort(): Promise<number> {
  const probe = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
  const { port = 0 } = probe;
  await probe.stop(true);
  return port;
}

test("a server answers, says where, and leaves no address behind", async () => {
  const { server, dataDir } = await start();
  expect(readFileSync(join(dataDir, "address"), "utf8")).toBe(`${server.address}\n`);
  expect(server.url).toBe(`http://${server.address}`);
  expect(statSync(dataDir).mode & 0o777).toBe(0o700);
  const health = await getFrom(server, "/healthz");
  expect([health.status, await health.text()]).toEqual([200, "ok\n"]);
  const ready = await getFrom(server, "/readyz");
  expect([ready.status, await ready.json()]).toEqual([
    200,
    { ready: true, checks: { database: "ok", disk: "ok", process: "ok" } },
  ]);
  await server.stop();
  expect(existsSync(join(dataDir, "address"))).toBe(false);
  await expect(getFrom(server, "/healthz")).rejects.toThrow();
});

test("the home page runs no script and takes nothing from the caller", async () => {
  const { server } = await start();
  const page = await getFrom(server, "/", { headers: { host: "evil.example.org" } });
  expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
  const text = await page.text();
  expect(text).toContain(`docker login ${server.address}`);
  expect(text).not.toContain("evil");
  expect(text).not.toContain("<script");
});

test("unknown addresses and methods get problem+json with a code", async () => {
  const { server } = await start();
  const unknown = await getFrom(server, "/nothing?here=1");
  expect(unknown.status).toBe(404);
  expect(unknown.headers.get("content-type")).toBe("application/problem+json");
  expect(await unknown.json()).toMatchObject({ code: "NOT_FOUND", status: 404 });
  const wrong = await getFrom(server, "/healthz", { method: "POST" });
  expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  expect((await getFrom(server, "/ca.crt")).status).toBe(404);
});

test("metrics are for this machine, and not for what a proxy of this machine passes on", async () => {
  const { server } = await start();
  await getFrom(server, "/nothing");
  const metrics = await (await getFrom(server, "/metrics")).text();
  expect(metrics).toMatch(/wharf_http_requests_total\{area="site",status="4xx"\} 1\n/);
  expect(metrics).toMatch(/\nprocess_resident_memory_bytes \d+\n/);
  expect(
    (await getFrom(server, "/metrics", { headers: { "x-forwarded-for": "127.0.0.1" } })).status,
  ).not.toBe(200);
  // A proxy that does not say for whom it asks: everybody would look local.
  const behind = await start({ "behind-proxy": ["127.0.0.1"] });
  expect((await getFrom(behind.server, "/metrics")).status).toBe(401);
  const closed = await start({ metrics: "admin" });
  const refused = await getFrom(closed.server, "/metrics");
  expect([refused.status, refused.headers.get("www-authenticate")]).toEqual([
    401,
    'Basic realm="wharf", charset="UTF-8"',
  ]);
  const login = (password: string) => ({
    authorization: `Basic ${Buffer.from(`admin:${password}`).toString("base64")}`,
  });
  const password = readFileSync(join(closed.dataDir, "admin-password"), "utf8").trim();
  expect((await getFrom(closed.server, "/metrics", { headers: login(`${password}x`) })).status).toBe(401);
  expect((await getFrom(closed.server, "/metrics", { headers: login(password) })).status).toBe(200);
});

test("a second server may serve the same data; each forgets its own address only", async () => {
  const { server, dataDir } = await start();
  const second = await start({ data: dataDir });
  expect((await getFrom(second.server, "/readyz")).status).toBe(200);
  await server.stop();
  expect(readFileSync(join(dataDir, "address"), "utf8")).toBe(`${second.server.address}\n`);
  await second.server.stop();
});

test("an address left by a server that was killed is gone before the new one is ready; a living one's stays", async () => {
  const { server } = await start();
  for (const [left, stays] of [
    [`127.0.0.1:${await freePort()}`, false],
    ["nonsense", false],
    [server.address, true],
  ] as const) {
    const dataDir = it.scratch.at(`left-${folders++}`);
    mkdirSync(dataDir, { mode: 0o700 });
    writeFileSync(join(dataDir, "address"), left);
    const broken = start({ data: dataDir, "admin-password-file": it.scratch.at("not there") });
    await expect(broken).rejects.toMatchObject({ code: "INVALID_INPUT" });
    expect([left, existsSync(join(dataDir, "address"))]).toEqual([left, stays]);
  }
});

test("every address, IPv6 too: the address file names one that this machine reaches", async () => {
  const every = await start({ listen: ":0", "insecure-http": true });
  expect(every.server.address).toMatch(/^127\.0\.0\.1:\d+$/);
  expect((await getFrom(every.server, "/healthz")).status).toBe(200);
  const six = await start({ listen: "[::1]:0" });
  expect(six.server.address).toMatch(/^\[::1\]:\d+$/);
  expect((await getFrom(six.server, "/metrics")).status).toBe(200);
});

test("a port that is taken says by whom", async () => {
  const { server, dataDir } = await start();
  await expect(start({ listen: server.address })).rejects.toMatchObject({
    code: "ADDRESS_IN_USE",
    message: expect.stringMatching(new RegExp(`is taken by .* \\(process ${process.pid}\\)$`)),
  });
  await expect(start({ listen: server.address, data: dataDir })).rejects.toMatchObject({
    code: "ADDRESS_IN_USE",
    hint: expect.stringContaining("this data folder"),
  });
  await expect(start({ listen: server.address, tls: "auto" })).rejects.toMatchObject({
    code: "ADDRESS_IN_USE",
  });
  await expect(start({ listen: "192.0.2.1:0", "insecure-http": true })).rejects.toMatchObject({
    code: "INVALID_INPUT",
  });
});

needsThat(process.getuid?.() === 0, "needs root")(
  "a full disk shows in readyz and not in healthz",
  async () => {
    const dataDir = it.scratch.at("small");
    mkdirSync(dataDir);
    const mount = await Bun.spawn(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", dataDir]).exited;
    expect(mount).toBe(0);
    try {
      const { server } = await start({ data: dataDir });
      const ready = await getFrom(server, "/readyz");
      expect([ready.status, ready.headers.get("retry-after")]).toEqual([503, "5"]);
      expect(await ready.json()).toMatchObject({
        ready: false,
        checks: { disk: "STORAGE_FULL", database: "ok" },
      });
      expect((await getFrom(server, "/healthz")).status).toBe(200);
      await server.stop();
    } finally {
      await Bun.spawn(["umount", "-l", dataDir]).exited;
    }
  },
);

test("a known secret reaches no log line, whatever was asked with it", async () => {
  const { server, lines } = await start({ "log-level": "debug" });
  const canary = "canary-7d0e5b";
  const basic = Buffer.from(`someone:${canary}`).toString("base64");
  for (const path of [
    "/",
    "/v2/",
    `/v2/token?service=x&password=${canary}`,
    "/api/v1/whoami",
    "/metrics",
    `/nothing?token=${canary}`,
  ])
    await getFrom(server, path, {
      headers: { authorization: `Basic ${basic}`, cookie: canary, "x-forwarded-for": canary },
    });
  await getFrom(server, "/v2/token", {
    method: "POST",
    body: new URLSearchParams({ password: canary, grant_type: "password" }),
  });
  await server.stop();
  const text = lines.join("");
  expect(text).toContain('"path":"/v2/token"');
  expect(text).not.toContain(canary);
  expect(text).not.toContain(basic);
});

/** The status of a request written by hand. */
function rawStatus(server: RunningServer, text: string): Promise<number> {
  const [host = "", port = ""] = server.address.split(":");
  return new Promise((resolve, reject) => {
    const socket = createConnection(Number(port), host, () => socket.write(text));
    socket.once("data", (bytes) => {
      resolve(Number(bytes.toString().split(" ")[1]));
      socket.destroy();
    });
    socket.once("error", reject);
  });
}

test("a health check of HTTP/1.0 without Host is answered; the registry needs a Host that is one", async () => {
  const { server } = await start();
  expect(await rawStatus(server, "GET /healthz HTTP/1.0\r\n\r\n")).toBe(200);
  for (const host of ["a/b", "a b", "u:p@h", ""])
    expect([host, await rawStatus(server, `GET /v2/ HTTP/1.1\r\nHost: ${host}\r\n\r\n`)]).toEqual([
      host,
      400,
    ]);
  expect(await rawStatus(server, "GET /v2/ HTTP/1.0\r\n\r\n")).toBe(400);
  const both =
    "POST /v2/ HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
  expect(await rawStatus(server, both)).toBe(400);
});

test("oversized headers and addresses are refused", async () => {
  const { server } = await start();
  expect((await getFrom(server, "/", { headers: { x: "a".repeat(20_000) } })).status).toBe(431);
  expect((await getFrom(server, `/${"a".repeat(20_000)}`)).status).toBe(431);
});

test("a client on whose connection nothing moves is cut; one that moves is not", async () => {
  const { server } = await start({ "stall-seconds": "1" });
  const [host = "", port = ""] = server.address.split(":");
  const socket = createConnection(Number(port), host);
  const closed = new Promise<string>((resolve) => {
    socket.once("close", () => resolve("closed"));
    socket.once("error", () => undefined);
  });
  // An upload that stops in the middle of its body.
  socket.write("PUT /nothing HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\nabc");
  socket.resume();
  expect(await closed).toBe("closed");
  expect((await getFrom(server, "/healthz")).status).toBe(200);
  expect(await (await getFrom(server, "/metrics")).text()).toMatch(/wharf_stalled_connections_total [1-9]/);
}, 20_000);

needs("curl")(
  "a download that goes on for longer than a stall may last is not cut",
  async () => {
    const { server } = await start({ "stall-seconds": "1", "log-level": "debug" });
    const [project, bytes] = ["team", 900_000];
    const password = readFileSync(server.admin.passwordFile ?? "", "utf8").trim();
    const authorization = `Basic ${Buffer.from(`admin:${password}`).toString("base64")}`;
    const body = JSON.stringify({ name: project, visibility: "private" });
    await getFrom(server, "/api/v1/projects", {
      method: "POST",
      headers: { authorization, "content-type": "application/json" },
      body,
    });
    const blob = new Uint8Array(bytes);
    const digest = `sha256:${new Bun.CryptoHasher("sha256").update(blob).digest("hex")}`;
    const pushed = await getFrom(server, `/v2/${project}/app/blobs/uploads/?digest=${digest}`, {
      method: "POST",
      headers: { authorization, "content-type": "application/octet-stream" },
      body: blob,
    });
    expect([pushed.status, await pushed.text()]).toEqual([201, ""]);
    const url = `${server.url}/v2/${project}/app/blobs/${digest}`;
    // Small buffers, or the kernel would take all of it at once; the password goes over stdin.
    const args = ["-sS", "-K", "-", "--limit-rate", "300K", "-o", "/dev/null", "-w", "%{size_download}", url];
    const child = Bun.spawn([programPath("curl"), ...args], {
      stdin: Buffer.from(`header = "authorization: ${authorization}"\n`),
      stdout: "pipe",
    });
    expect([await new Response(child.stdout).text(), await child.exited]).toEqual([String(bytes), 0]);
  },
  30_000,
);
