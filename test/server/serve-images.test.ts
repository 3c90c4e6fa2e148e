/** The whole server, asked as clients ask it: TLS, proxies in front, several processes' worth of servers, stops and stalls in the middle. */
import { afterAll, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { createConnection, type Socket } from "node:net";
import { createImageFixture } from "../support/image-fixture.ts";
import { needs } from "../support/programs.ts";
import {
  ask,
  digestAt,
  pushBlob,
  pushManifest,
  randomBytes,
  sha256Of,
  smallImage,
} from "../support/registry-calls.ts";
import { mustRun } from "../support/run-program.ts";
import { createScratch } from "../support/scratch.ts";
import { basicAuthorization, startTestServer, type TestServer } from "../support/test-server.ts";
import { until } from "../support/until.ts";

const scratch = createScratch("serve-images");
const servers: TestServer[] = [];
afterAll(async () => {
  // The last first: some stand on the folder of one before them.
  for (const server of servers.toReversed()) await server.stop();
  scratch.remove();
});

async function start(values?: Parameters<typeof startTestServer>[0]): Promise<TestServer> {
  const server = await startTestServer(values);
  servers.push(server);
  return server;
}

const as = (server: TestServer, login = server.admin) => ({
  url: server.url,
  authorization: basicAuthorization(login),
});

/** Sends the head and the beginning of an upload of `length` bytes, and no more. */
async function beginUpload(
  server: TestServer,
  digest: string,
  length: number,
  first: Uint8Array,
): Promise<Socket> {
  const [host = "", port = ""] = server.address.split(":");
  const socket = createConnection(Number(port), host);
  socket.on("error", () => undefined);
  socket.write(
    [
      `POST /v2/team/app/blobs/uploads/?digest=${digest} HTTP/1.1`,
      `host: ${server.address}`,
      `authorization: ${basicAuthorization(server.admin)}`,
      "content-type: application/octet-stream",
      `content-length: ${length}`,
      "",
      "",
    ].join("\r\n"),
  );
  socket.write(first);
  await until("the request is being answered", () => openRequests(server));
  return socket;
}

async function openRequests(server: TestServer): Promise<true | undefined> {
  const metrics = await (await server.fetch("/metrics")).text();
  // Asking is a request itself.
  return Number(/^wharf_http_requests_open (\d+)$/m.exec(metrics)?.[1]) > 1 ? true : undefined;
}

test("an image pushed to one server is pulled from another on the same data; a revoked robot is refused by both at once", async () => {
  const one = await start();
  const two = await start({ data: one.dataDir });
  await one.createProject("team");
  const robot = await one.createRobot("team", "ci");
  const image = smallImage("v1", [1000, 100_000]);
  for (const blob of image.blobs) await pushBlob(as(one, robot), "team/app", blob);
  await pushManifest(as(one, robot), "team/app", image);

  const path = "/v2/team/app/manifests/v1";
  for (const server of [one, two]) expect(await digestAt(as(server, robot), path)).toBe(image.manifestDigest);
  for (const blob of image.blobs)
    expect(await digestAt(as(two, robot), `/v2/team/app/blobs/${sha256Of(blob)}`)).toBe(sha256Of(blob));

  await two.api("DELETE", "/projects/team/robots/ci");
  for (const server of [one, two]) expect((await ask(as(server, robot), "GET", path)).status).toBe(401);
});

test("a stop lets an upload that is going on finish, and its bytes are there afterwards", async () => {
  const server = await start({ "stop-seconds": "60" });
  await server.createProject("team");
  const blob = randomBytes(3_000_000);
  const socket = await beginUpload(server, sha256Of(blob), blob.length, blob.subarray(0, 1_000_000));
  let answer = "";
  socket.on("data", (bytes) => {
    answer += bytes.toString();
  });
  const closed = new Promise((resolve) => socket.once("close", resolve));
  const stopped = server.running.stop();
  await until("nothing new is accepted", () =>
    server.fetch("/healthz", { keepalive: false }).then(
      () => undefined,
      () => true,
    ),
  );
  socket.write(blob.subarray(1_000_000));
  await Promise.all([stopped, closed]);
  expect(answer).toStartWith("HTTP/1.1 201 ");
  const again = await start({ data: server.dataDir });
  expect(await digestAt(as(again), `/v2/team/app/blobs/${sha256Of(blob)}`)).toBe(sha256Of(blob));
});

test("an upload that stalls is cut and holds nothing; the next one is served", async () => {
  const server = await start({ "stall-seconds": "1" });
  await server.createProject("team");
  const blob = randomBytes(1_000_000);
  const socket = await beginUpload(server, sha256Of(blob), blob.length, blob.subarray(0, 1000));
  socket.resume();
  await new Promise((resolve) => socket.once("close", resolve));
  await until("nothing is open", async () => ((await openRequests(server)) === undefined ? true : undefined));
  await pushBlob(as(server), "team/app", blob);
  expect(await digestAt(as(server), `/v2/team/app/blobs/${sha256Of(blob)}`)).toBe(sha256Of(blob));
}, 30_000);

test("behind a proxy the challenge names what the client called; past it, nothing is believed", async () => {
  const proxied = await start({ "behind-proxy": "127.0.0.0/8" });
  const headers = { "x-forwarded-proto": "https", "x-forwarded-host": "registry.example.org" };
  const challenge = async (server: TestServer): Promise<string | null> =>
    (await server.fetch("/v2/", { as: null, headers })).headers.get("www-authenticate");
  expect(await challenge(proxied)).toContain('realm="https://registry.example.org/v2/token"');
  const direct = await start();
  expect(await challenge(direct)).toContain(`realm="${direct.url}/v2/token"`);
});

test("no secret of a user, robot or token, and no Bearer token, reaches a log line", async () => {
  const server = await start();
  await server.createProject("team");
  const robot = await server.createRobot("team", "ci");
  const user = await server.createUser("alice");
  const image = smallImage("v1", [100_000]);
  for (const blob of image.blobs) await pushBlob(as(server, robot), "team/app", blob);
  await pushManifest(as(server, robot), "team/app", image);
  const scope = "repository:team/app:pull";
  const minted: unknown = await (
    await server.fetch(`/v2/token?service=x&scope=${scope}`, { as: robot })
  ).json();
  const token = String(Object.assign({ token: "" }, minted).token);
  expect(token.length).toBeGreaterThan(100);
  await ask({ url: server.url, authorization: `Bearer ${token}` }, "GET", "/v2/team/app/manifests/v1");
  await ask(as(server, { username: "alice", secret: `${user.secret}x` }), "GET", "/v2/");
  await server.fetch("/v2/token", {
    method: "POST",
    as: null,
    body: new URLSearchParams({
      grant_type: "password",
      username: robot.username,
      password: robot.secret,
      service: "x",
      scope,
    }),
  });
  const secrets = [server.admin.secret, robot.secret, user.secret, token, ...token.split(".").slice(1)];
  const logins = [server.admin, robot, user].map((login) => basicAuthorization(login).slice("Basic ".length));
  const text = server.logLines.join("");
  expect(text).toContain("/v2/team/app/manifests/v1");
  for (const secret of [...secrets, ...logins]) expect(text).not.toContain(secret);
});

needs("skopeo")(
  "skopeo pushes and pulls over --tls auto with the CA it was given, and not without",
  async () => {
    const server = await start({ tls: "auto" });
    await server.createProject("team");
    const robot = await server.createRobot("team", "ci");
    const fixtureFolder = scratch.at("fixture");
    mkdirSync(fixtureFolder);
    const fixture = await createImageFixture(fixtureFolder);
    const certs = scratch.at("certs");
    mkdirSync(certs);
    writeFileSync(`${certs}/ca.crt`, server.ca ?? "");
    const authFile = scratch.at("auth.json");
    const auth = Buffer.from(`${robot.username}:${robot.secret}`).toString("base64");
    writeFileSync(authFile, JSON.stringify({ auths: { [server.address]: { auth } } }), { mode: 0o600 });
    const remote = `docker://${server.address}/team/app:v1`;
    const policy = ["--insecure-policy", "copy", "--preserve-digests", "--authfile", authFile];
    const pushed = ["skopeo", ...policy, "--dest-cert-dir", certs, `oci:${fixture.layout}:image`, remote];
    await mustRun(pushed);
    expect(await digestAt(as(server, robot), "/v2/team/app/manifests/v1")).toBe(fixture.manifestDigest);
    await mustRun(["skopeo", ...policy, "--src-cert-dir", certs, remote, `dir:${scratch.at("pulled")}`]);
    const untrusted = ["skopeo", ...policy, remote, `dir:${scratch.at("untrusted")}`];
    expect(await Bun.spawn(untrusted, { stdout: "ignore", stderr: "ignore" }).exited).not.toBe(0);
  },
  60_000,
);
