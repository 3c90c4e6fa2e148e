import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { type AppError, type Context, Secret, silentLogger } from "#core";
import { readConfig } from "./config-file.ts";
import type { Surroundings, WharfConfig } from "./contract.ts";
import { parseConfig } from "./parse-config.ts";
import { saveLogin } from "./save-login.ts";
import { createSecretReader } from "./secret-source.ts";
import { trustCommands } from "./trust-store.ts";

const context: Context = { signal: new AbortController().signal, log: silentLogger };
let folder: string;
let here: Surroundings;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "wharf-source-"));
  here = { env: { HOME: folder, PATH: "/usr/bin:/bin" }, cwd: folder };
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function config(source: string, registry = "r.example:5000"): WharfConfig {
  const text = `version: 1\nlogins:\n  a: { registry: "${registry}", username: u, password: ${source} }\n`;
  return parseConfig(join(folder, "wharf.yaml"), text, folder);
}

async function read(from: WharfConfig, surroundings = here): Promise<string> {
  const login = from.logins.get("a");
  if (login === undefined) throw new Error("no login a");
  return await createSecretReader(context, surroundings, from)
    .read(login)
    .then(
      (secret) => secret.reveal(),
      (cause: AppError) => cause.code,
    );
}

test("exactly one trailing newline is dropped, from every source", async () => {
  for (const [written, wanted] of [
    ["word", "word"],
    ["word\n", "word"],
    ["word\r\n", "word"],
    ["word\n\n", "word\n"],
    [" word ", " word "],
    ["\n", "SECRET_UNAVAILABLE"],
    ["a\u0000b", "SECRET_UNAVAILABLE"],
  ] as const) {
    writeFileSync(join(folder, "secret"), written);
    expect(await read(config("{ file: secret }"))).toBe(wanted);
    if (!written.includes("\u0000"))
      expect(await read(config("{ env: WORD }"), { ...here, env: { ...here.env, WORD: written } })).toBe(
        wanted,
      );
    const command = config("{ command: [cat, SECRET] }".replace("SECRET", join(folder, "secret")));
    await trustCommands(context, here, command);
    expect(await read(command)).toBe(wanted);
  }
});

test("a source that has nothing says so, and a failing command does not show what it printed", async () => {
  expect(await read(config("{ file: nowhere }"))).toBe("SECRET_UNAVAILABLE");
  expect(await read(config("{ env: NOT_SET }"))).toBe("SECRET_UNAVAILABLE");
  expect(await read(config("vault"))).toBe("SECRET_UNAVAILABLE");
  const missing = config("{ command: [no-such-program-here] }");
  await trustCommands(context, here, missing);
  expect(await read(missing)).toBe("NOT_FOUND");
  const failing = config('{ command: [sh, -c, "echo half-a-secret; echo half-a-secret >&2; exit 3"] }');
  await trustCommands(context, here, failing);
  const login = failing.logins.get("a");
  const error: AppError = await createSecretReader(context, here, failing)
    .read(login as NonNullable<typeof login>)
    .then(
      () => new Error("it was taken"),
      (cause) => cause,
    );
  expect(error.code).toBe("SECRET_UNAVAILABLE");
  expect(Bun.inspect(error, { depth: 10 })).not.toContain("half-a-secret");
});

test("a secret sealed for one registry is not given to another that wharf.yaml names now", async () => {
  await saveLogin(context, here, undefined, {
    name: "a",
    registry: "r.example",
    username: "u",
    secret: new Secret("sealed-word"),
  });
  const honest = await readConfig(here);
  expect(await read(honest)).toBe("sealed-word");
  const changed = {
    ...honest,
    logins: new Map(
      [...honest.logins].map(([name, login]) => [name, { ...login, registry: "evil.example" }]),
    ),
  };
  expect(await read(changed)).toBe("SECRET_UNAVAILABLE");
});

test("docker-config: the entry of that registry and that username, Hub under any spelling, no helper run", async () => {
  const pair = Buffer.from("u:from-docker").toString("base64");
  const write = (content: unknown): void =>
    writeFileSync(join(folder, "config.json"), JSON.stringify(content));
  write({ auths: { "r.example:5000": { auth: pair } } });
  expect(await read(config("{ docker-config: config.json }"))).toBe("from-docker");
  expect(await read(config("{ docker-config: config.json }", "r.example:5001"))).toBe("SECRET_UNAVAILABLE");
  write({ auths: { "https://index.docker.io/v1/": { username: "u", password: "inline" } } });
  expect(await read(config("{ docker-config: config.json }", "docker.io"))).toBe("inline");
  write({ auths: { "r.example:5000": { auth: Buffer.from("somebody:else").toString("base64") } } });
  expect(await read(config("{ docker-config: config.json }"))).toBe("SECRET_UNAVAILABLE");
  write({ credsStore: "touch-a-file", auths: { "r.example:5000": {} } });
  expect(await read(config("{ docker-config: config.json }"))).toBe("SECRET_UNAVAILABLE");
});

test("whatever a docker config holds, the answer is a secret or an error of ours that quotes nothing", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(fc.json(), fc.string(), fc.constant('{"auths":{"r.example:5000":"x"}}')),
      async (text) => {
        writeFileSync(join(folder, "config.json"), text);
        expect(["SECRET_UNAVAILABLE", "FILE_INVALID"]).toContain(
          await read(config("{ docker-config: config.json }")),
        );
      },
    ),
    { seed: 5, numRuns: 100 },
  );
});
