/** docker-credential-wharf under the real programs that ask credential helpers. */
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Secret, silentLogger } from "#core";
import { saveLogin } from "#logins";
import { needs, programPath } from "../support/programs.ts";
import { runProgram } from "../support/run-program.ts";
import { createScratch, type Scratch } from "../support/scratch.ts";
import { startTokenRecorder, type TokenRecorder } from "../support/token-recorder.ts";

const context = { signal: new AbortController().signal, log: silentLogger };
const wharf = join(import.meta.dir, "../../bin/wharf");
const secret = `w:"$\\ü ${crypto.randomUUID()}`;
const USER = "robot$team+ci";
let scratch: Scratch;
let registry: TokenRecorder;
let env: Record<string, string>;

beforeAll(async () => {
  scratch = createScratch("helper");
  registry = startTokenRecorder();
  mkdirSync(scratch.at("bin"));
  symlinkSync(wharf, scratch.at("bin/docker-credential-wharf"));
  env = {
    HOME: scratch.at("home"),
    DOCKER_CONFIG: scratch.at("docker"),
    XDG_RUNTIME_DIR: scratch.at("run"),
    PATH: `${scratch.at("bin")}:/usr/bin:/bin`,
  };
  mkdirSync(scratch.at("docker"));
  await saveLogin(context, { env, cwd: scratch.path }, scratch.at("home/.config/wharf/wharf.yaml"), {
    name: "ours",
    registry: registry.host,
    username: USER,
    secret: new Secret(secret),
  });
});
afterAll(async () => {
  await registry.stop();
  scratch.remove();
});
beforeEach(() => {
  writeConfig({ credHelpers: { [registry.host]: "wharf", "other.example": "wharf" } });
  registry.take();
});

function writeConfig(content: object): void {
  writeFileSync(scratch.at("docker/config.json"), JSON.stringify(content), { mode: 0o600 });
}

async function run(
  argv: readonly [string, ...string[]],
  input?: string,
): Promise<{ code: number; out: string; err: string }> {
  return await runProgram(argv, {
    env,
    cwd: scratch.path,
    timeoutMs: 60_000,
    ...(input === undefined ? {} : { input }),
  });
}

const readers: readonly [string, (image: string) => readonly string[]][] = [
  ["docker", (image) => ["manifest", "inspect", "--insecure", image]],
  ["skopeo", (image) => ["inspect", "--raw", "--tls-verify=false", `docker://${image}`]],
  ["crane", (image) => ["manifest", "--insecure", image]],
  ["oras", (image) => ["manifest", "fetch", "--plain-http", image]],
];

for (const [program, argv] of readers) {
  needs(program)(`${program} gets our login by credHelpers`, async () => {
    const ran = await run([programPath(program), ...argv(`${registry.host}/team/x:1`)]);
    expect(ran).toMatchObject({ code: 0 });
    const sent = registry.take();
    expect(sent.length).toBeGreaterThan(0);
    for (const shown of sent) expect(shown).toEqual({ kind: "basic", username: USER, secret });
    expect(ran.out + ran.err).not.toContain(secret);
  });
}

needs("docker")("docker pulls without a login where the helper has none", async () => {
  const other = startTokenRecorder();
  try {
    writeConfig({ credHelpers: { [other.host]: "wharf" } });
    const ran = await run([
      programPath("docker"),
      "manifest",
      "inspect",
      "--insecure",
      `${other.host}/team/x:1`,
    ]);
    expect(ran).toMatchObject({ code: 0 });
    expect(other.take()).toContainEqual({ kind: "anonymous" });
  } finally {
    await other.stop();
  }
});

needs("docker")("docker login seals what it proved; docker logout takes nothing away", async () => {
  const fresh = startTokenRecorder();
  try {
    writeConfig({ credHelpers: { [fresh.host]: "wharf" } });
    const word = `pw-${crypto.randomUUID()}`;
    const login = await run(
      [programPath("docker"), "login", "-u", "bob", "--password-stdin", fresh.host],
      word,
    );
    expect(login).toMatchObject({ code: 0 });
    for (const file of ["docker/config.json", "home/.config/wharf/wharf.yaml"])
      expect(readFileSync(scratch.at(file), "utf8")).not.toContain(word);
    fresh.take();
    const logout = await run([programPath("docker"), "logout", fresh.host]);
    expect(logout.out + logout.err).toContain("stays in wharf's vault");
    const inspect = ["manifest", "inspect", "--insecure", `${fresh.host}/team/x:1`] as const;
    expect(await run([programPath("docker"), ...inspect])).toMatchObject({ code: 0 });
    expect(fresh.take()).toContainEqual({ kind: "basic", username: "bob", secret: word });
  } finally {
    await fresh.stop();
  }
});

test("called under another action, by too many words or by none it says so and ends with 1", async () => {
  const helper = scratch.at("bin/docker-credential-wharf");
  expect(await run([helper])).toMatchObject({ code: 1, out: expect.stringContaining("Usage: ") });
  expect(await run([helper, "get", "more"])).toMatchObject({ code: 1, err: "" });
  expect(await run([helper, "drop"])).toMatchObject({
    code: 1,
    out: "docker-credential-wharf: unknown action: drop\n",
  });
  expect(await run([helper, "version"])).toMatchObject({ code: 0, err: "" });
  expect(await run([helper, "get"], "other.example")).toEqual({
    code: 1,
    out: "credentials not found in native keychain\n",
    err: "",
  });
});
