/** The guide to images across a gap does what it says: its lines run in order, from one registry of ours to another. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { createRegistryClient, type RegistryClient } from "#client";
import { Secret, silentLogger } from "#core";
import { createFetch } from "#system";
import { pushImage } from "./support/push-image.ts";
import { runCli } from "./support/run-cli.ts";
import { createScratch, type Scratch } from "./support/scratch.ts";
import { renderTarItems } from "./support/tar-writer.ts";
import { startTestServer, type TestLogin, type TestServer } from "./support/test-server.ts";
import { readTexts } from "./support/texts.ts";

const context = { signal: new AbortController().signal, log: silentLogger };
let home: Scratch;
let outside: TestServer;
let inside: TestServer;
let mirror: RegistryClient;

function clientOf(server: TestServer, { username, secret }: TestLogin): RegistryClient {
  const fetch = createFetch({ environment: {}, userAgent: "wharf/test" });
  return createRegistryClient({
    registry: server.address,
    fetch,
    credentials: { username, secret: new Secret(secret) },
  });
}

beforeAll(async () => {
  home = createScratch("gap");
  [outside, inside] = await Promise.all([startTestServer(), startTestServer()]);
  await outside.createProject("team");
  await inside.createProject("mirror");
  const robots = [
    { server: outside, login: await outside.createRobot("team", "ci", ["pull", "push"]) },
    { server: inside, login: await inside.createRobot("mirror", "ci", ["pull", "push"]) },
  ] as const;
  const auths = Object.fromEntries(
    robots.map(({ server, login: { username, secret } }) => [
      server.address,
      { auth: Buffer.from(`${username}:${secret}`).toString("base64") },
    ]),
  );
  mkdirSync(home.at(".docker"));
  writeFileSync(home.at(".docker/config.json"), JSON.stringify({ auths }), { mode: 0o600 });
  const client = clientOf(outside, robots[0].login);
  const layers = [renderTarItems([{ path: "bin/sh", content: "#!", mode: 0o755 }])];
  await pushImage(client, "team/app", { tag: "1.0", layers, run: { Cmd: ["/bin/sh"] } });
  await pushImage(client, "team/tool", { tag: "2.1", layers });
  mirror = clientOf(inside, robots[1].login);
}, 60_000);
afterAll(async () => {
  await Promise.all([outside.stop(), inside.stop()]);
  home.remove();
});

test("its lines run from top to bottom", async () => {
  const text = readTexts().get("docs/guide/air-gap.md") ?? "";
  const blocks = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = ""]) => block);
  const lines = blocks.flatMap((block) => block.trim().split("\n"));
  expect(lines.length).toBeGreaterThan(6);
  for (const line of lines) {
    const words = line
      .replaceAll("registry.example.org", outside.address)
      .replaceAll("mirror.internal", inside.address)
      .split(" ");
    expect(words.shift()).toBe("wharf");
    const { code, err } = await runCli(words, { cwd: home.path, env: { HOME: home.path, PATH: home.path } });
    expect({ line, code, err: code === 0 ? "" : err }).toEqual({ line, code: 0, err: "" });
  }
  for (const [repository, tag] of [
    ["team/app", "1.0"],
    ["team/tool", "2.1"],
    ["lab-tool", "2.1"],
    ["app-sif", "1.0"],
  ])
    expect(await mirror.headManifest(context, `mirror/${repository}`, tag ?? "")).toBeDefined();
  for (const file of ["bundle.tar", "app.tar", "app.sif"])
    expect(statSync(home.at(file)).size).toBeGreaterThan(1000);
}, 60_000);
