/** `check --from-target`: a login as it lies at a target, shown to the registry by the target's own curl. */
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findProgram, needs, programPath } from "./support/programs.ts";
import { type InProcessResult, runCli } from "./support/run-cli.ts";
import { createScratch, type Scratch } from "./support/scratch.ts";
import { type SshServer, startSshServer } from "./support/ssh-server.ts";
import { startTestServer, type TestLogin, type TestServer } from "./support/test-server.ts";

let server: TestServer;
let robot: TestLogin;
let ssh: SshServer | undefined;
let scratch: Scratch;

beforeAll(async () => {
  server = await startTestServer({ tls: "auto" });
  await server.createProject("team");
  robot = await server.createRobot("team", "node");
  if (findProgram("sshd") !== undefined && findProgram("ssh") !== undefined) ssh = await startSshServer();
}, 60_000);
afterAll(async () => {
  await ssh?.stop();
  await server.stop();
});
beforeEach(() => {
  scratch = createScratch("there");
});
afterEach(() => scratch.remove());

async function wharf(args: readonly string[], input = ""): Promise<InProcessResult> {
  const path = ssh?.env["PATH"] ?? process.env.PATH ?? "";
  const env = { ...ssh?.env, HOME: scratch.path, PATH: `${scratch.at("bin")}:${path}` };
  return await runCli(args, { cwd: scratch.path, env, input });
}

/** A curl that writes down what it is called with, and what is in its environment. */
function recordCurl(): () => string {
  mkdirSync(scratch.at("bin"));
  const record = scratch.at("curl-was-given");
  const script = `#!/bin/sh\n{ echo "$@"; tr '\\0' '\\n' < /proc/self/environ; } >> ${record}\nexec ${programPath("curl")} "$@"\n`;
  writeFileSync(scratch.at("bin", "curl"), script, { mode: 0o755 });
  return () => readFileSync(record, "utf8");
}

async function deliver(to: TestServer, login: TestLogin, ...lines: readonly string[]): Promise<void> {
  writeFileSync(scratch.at("ca.pem"), to.ca ?? "");
  writeFileSync(scratch.at("secret"), login.secret);
  const ca = to.ca === undefined ? "" : "ca: ca.pem, ";
  const entry = `{ registry: ${to.address}/team, username: ${login.username}, ${ca}password: { file: secret } }`;
  const deliveries = lines.map((line) => `  - ${line}\n`).join("");
  writeFileSync(scratch.at("wharf.yaml"), `version: 1\nlogins:\n  team: ${entry}\ndeliver:\n${deliveries}`);
  const applied = await wharf(["apply", "--yes"]);
  expect([applied.code, applied.out]).toEqual([0, expect.any(String)]);
}

needs("curl")(
  "what lies here is proved by curl, over TLS with the registry's own CA; the secret is on no command line",
  async () => {
    const given = recordCurl();
    mkdirSync(scratch.at("out"));
    await deliver(server, robot, "{ to: podman, at: local }", '{ to: docker, at: "folder:out" }');
    const good = await wharf(["check", "--from-target"]);
    expect([good.code, good.out]).toEqual([
      0,
      expect.stringContaining("good from podman at local: login team: "),
    ]);
    expect(good.out).toContain("not asked from docker at folder:out: login team: nothing runs there");
    expect(given()).toMatch(/^-q --config -$/m);
    const basic = Buffer.from(`${robot.username}:${robot.secret}`).toString("base64");
    for (const form of [robot.secret, basic]) expect(given()).not.toContain(form);
    // What lies there counts, and not what wharf would send.
    const file = scratch.at(".config", "containers", "auth.json");
    const wrong = Buffer.from(`${robot.username}:of-last-year`).toString("base64");
    writeFileSync(file, readFileSync(file, "utf8").replace(/"auth": ?"[^"]*"/, `"auth": "${wrong}"`));
    const stale = await wharf(["check", "--from-target", "--json"]);
    const document = JSON.parse(stale.out);
    expect([stale.code, document.logins[0].proof]).toEqual([3, "proved"]);
    expect(document.fromTargets).toMatchObject([
      { consumer: "podman", place: "local", error: { code: "LOGIN_REFUSED" } },
      { consumer: "docker", place: "folder:out", error: null },
    ]);
    writeFileSync(file, "{}");
    const gone = await wharf(["check", "--from-target", "--quiet"]);
    expect([gone.code, gone.out]).toEqual([
      3,
      expect.stringContaining("login team failed from podman at local"),
    ]);
  },
  60_000,
);

needs(
  "curl",
  "sshd",
  "ssh",
  "ssh-keygen",
)(
  "from a host over SSH its own curl is asked, through standard input alone",
  async () => {
    const plain = await startTestServer();
    try {
      await plain.createProject("team");
      const login = await plain.createRobot("team", "node");
      const home = ssh?.addHost("node1") ?? "";
      await deliver(plain, login, '{ to: podman, at: "ssh://node1" }');
      const file = join(home, ".config", "containers", "auth.json");
      const basic = Buffer.from(`${login.username}:${login.secret}`).toString("base64");
      expect(readFileSync(file, "utf8")).toContain(basic);
      const good = JSON.parse((await wharf(["check", "--from-target", "--json"])).out);
      expect(good.fromTargets).toMatchObject([{ place: "ssh://node1", login: "team", proof: "proved" }]);
      await plain.api("PATCH", "/projects/team/robots/node", { disabled: true });
      const refused = await wharf(["check", "--from-target"]);
      expect([refused.code, refused.out]).toEqual([
        3,
        expect.stringMatching(/failed from podman at ssh:\/\/node1: login team: .*\n.*enable the robot/),
      ]);
      const commands = ssh?.commands().join("\n") ?? "";
      expect(commands).not.toBe("");
      for (const form of [login.secret, basic]) expect(commands).not.toContain(form);
    } finally {
      await plain.stop();
    }
  },
  60_000,
);
