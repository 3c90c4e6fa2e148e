/** Logins that are answered by our own helper, and not written: from `wharf login` to what docker would be told. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type InProcessOptions, type InProcessResult, runCli } from "./support/run-cli.ts";
import { runProgram } from "./support/run-program.ts";
import { createScratch, type Scratch } from "./support/scratch.ts";
import { startTestServer } from "./support/test-server.ts";
import { startTokenRecorder } from "./support/token-recorder.ts";

let scratch: Scratch;
beforeEach(() => {
  scratch = createScratch("programs");
  for (const folder of ["bin", "elsewhere", ".config/wharf"])
    mkdirSync(scratch.at(folder), { recursive: true });
  // Stands for the link to wharf: what plan looks at is whether it is there.
  writeFileSync(scratch.at("bin/docker-credential-wharf"), "#!/bin/sh\necho 0.1.0\n");
  chmodSync(scratch.at("bin/docker-credential-wharf"), 0o755);
});
afterEach(() => scratch.remove());

async function wharf(words: string, options: InProcessOptions = {}): Promise<InProcessResult> {
  const env = { HOME: scratch.path, PATH: scratch.at("bin"), ...options.env };
  return await runCli(words.split(" "), { cwd: scratch.at("elsewhere"), ...options, env });
}

test("helper: wharf delivers names of registries, and the helper gives the secret", async () => {
  const server = await startTestServer();
  try {
    await server.createProject("team");
    const robot = await server.createRobot("team", "ci");
    writeFileSync(
      scratch.at(".config/wharf/wharf.yaml"),
      "version: 1\nlogins: {}\ndeliver:\n  - { to: docker, at: local, helper: wharf }\n",
    );
    const login = await wharf(`login ${server.address} -u ${robot.username} --password-stdin --as team`, {
      input: robot.secret,
    });
    expect(login.code).toBe(0);
    const applied = await wharf("apply --yes");
    expect([applied.code, applied.err]).toEqual([
      0,
      expect.stringContaining(`+ credHelpers ${server.address} from team (new)`),
    ]);
    expect(applied.err).not.toContain("helper reads");
    expect(JSON.parse(readFileSync(scratch.at(".docker/config.json"), "utf8"))).toEqual({
      credHelpers: { [server.address]: "wharf" },
    });
    const asked = await wharf("credential-helper get", { input: server.address });
    expect(JSON.parse(asked.out)).toEqual({
      ServerURL: server.address,
      Username: robot.username,
      Secret: robot.secret,
    });
    expect((await wharf("check")).code).toBe(0);
    const again = JSON.parse((await wharf("apply --yes --json")).out) as { targets: unknown[] };
    expect(JSON.stringify(again.targets)).not.toContain('"action":"add"');
    expect((await wharf("revoke team")).code).toBe(0);
    expect(existsSync(scratch.at(".docker/config.json"))).toBe(false);
  } finally {
    await server.stop();
  }
});

test("plan says where the helper would answer from another file, and where it is not on PATH", async () => {
  writeFileSync(
    scratch.at("elsewhere/wharf.yaml"),
    "version: 1\nlogins:\n  a: { registry: r.example, username: u, password: { env: A } }\ndeliver:\n  - { to: docker, at: local, helper: wharf }\n",
  );
  const here = await wharf("plan", { env: { A: "word" } });
  expect(here.out).toContain(`the helper reads ${scratch.at(".config/wharf/wharf.yaml")}`);
  const named = { A: "word", WHARF_CONFIG: scratch.at("elsewhere/wharf.yaml") };
  expect((await wharf("plan", { env: named })).out).not.toContain("the helper reads");
  const gone = await wharf("plan", { env: { ...named, PATH: scratch.at("nowhere") } });
  expect(gone.out).toContain("docker-credential-wharf is not on PATH");
  const path = scratch.at("elsewhere/wharf.yaml");
  writeFileSync(path, readFileSync(path, "utf8").replace("at: local", 'at: "folder:out"'));
  const elsewhere = await wharf("plan", { env: { A: "word" } });
  expect(elsewhere.out).toContain("docker at folder:out fails at these registries unless");
});

test("a sign-in is never answered", async () => {
  const server = await startTestServer();
  try {
    const { username, secret } = server.admin;
    const signedIn = await wharf(`sign-in ${server.url} -u ${username} --password-stdin`, { input: secret });
    expect(signedIn.code).toBe(0);
    for (const address of [server.address, server.url])
      expect(await wharf("credential-helper get", { input: address })).toMatchObject({
        code: 1,
        out: "credentials not found in native keychain\n",
      });
    expect((await wharf("credential-helper list")).out).toBe("{}\n");
  } finally {
    await server.stop();
  }
});

test("errors of the protocol are on standard output, and with --json they are wharf's", async () => {
  const registry = startTokenRecorder();
  try {
    const plain = await wharf("credential-helper get", { input: registry.host });
    expect(plain).toMatchObject({ code: 1, err: "", out: "credentials not found in native keychain\n" });
    const json = await wharf("credential-helper get --json", { input: registry.host });
    expect(JSON.parse(json.out)).toMatchObject({ error: { code: "LOGIN_UNKNOWN" } });
    expect((await wharf("credential-helper drop")).code).toBe(2);
  } finally {
    await registry.stop();
  }
});

test("wharf-kubelet-provider, as the kubelet starts it: no home, another folder, the configuration named", async () => {
  const word = `w-${crypto.randomUUID()}`;
  writeFileSync(
    scratch.at("node.yaml"),
    "version: 1\nlogins:\n  a: { registry: r.example, username: u, password: { file: secret } }\n",
  );
  writeFileSync(scratch.at("secret"), `${word}\n`, { mode: 0o600 });
  const program = scratch.at("bin/wharf-kubelet-provider");
  symlinkSync(join(import.meta.dir, "../bin/wharf"), program);
  const ask = async (input: string, WHARF_CONFIG = scratch.at("node.yaml")) =>
    await runProgram([program], {
      input,
      cwd: scratch.at("elsewhere"),
      env: { PATH: "/usr/bin:/bin", WHARF_CONFIG },
      timeoutMs: 60_000,
    });
  const request = {
    apiVersion: "credentialprovider.kubelet.k8s.io/v1",
    kind: "CredentialProviderRequest",
    image: "r.example/team/app",
  };
  const { code, out, err } = await ask(JSON.stringify(request));
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(JSON.parse(out)).toEqual({
    apiVersion: request.apiVersion,
    kind: "CredentialProviderResponse",
    cacheKeyType: "Image",
    cacheDuration: "300s",
    auth: { "r.example/team/app": { username: "u", password: word } },
  });
  const failed = await ask("{");
  expect(failed).toMatchObject({ code: 1, out: "" });
  expect(failed.err).toBe(
    "wharf-kubelet-provider: standard input is not JSON (this program is started by the kubelet)\n",
  );
  expect(await ask(JSON.stringify(request), "node.yaml")).toMatchObject({ code: 1, out: "" });
});
