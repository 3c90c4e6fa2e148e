import { afterEach, beforeEach, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { type Context, isAppError, silentLogger } from "#core";
import { readConfig } from "./config-file.ts";
import type { Login, Surroundings, WharfConfig } from "./contract.ts";
import { parseExchangeAnswer } from "./exchange-answer.ts";
import { parseConfig } from "./parse-config.ts";
import { createSecretReader } from "./secret-source.ts";
import { trustCommands } from "./trust-store.ts";
import { ensureVaultKey } from "./vault-key.ts";

const context: Context = { signal: new AbortController().signal, log: silentLogger };
let home: string;
let here: Surroundings;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "wharf-exchange-"));
  mkdirSync(join(home, "bin"));
  here = { env: { HOME: home, PATH: `${join(home, "bin")}:/usr/bin:/bin` }, cwd: home };
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** A program that counts its calls, writes down its arguments and standard input, and prints this file. */
function fakeProgram(name: string, prints: string, exitCode = 0): void {
  writeFileSync(join(home, `${name}.out`), prints);
  const script = `#!/bin/sh\necho "$@" >> ${join(home, name)}.calls\n[ -t 0 ] || cat >> ${join(home, name)}.in\ncat ${join(home, name)}.out\nexit ${exitCode}\n`;
  writeFileSync(join(home, "bin", name), script, { mode: 0o755 });
}

const callsOf = (name: string): readonly string[] => {
  const path = join(home, `${name}.calls`);
  return existsSync(path) ? readFileSync(path, "utf8").trim().split("\n") : [];
};

async function configOf(login: string, isTrusted = true): Promise<WharfConfig> {
  writeFileSync(join(home, "wharf.yaml"), `version: 1\nlogins:\n  a: ${login}\n`);
  const config = await readConfig(here);
  if (isTrusted) await trustCommands(context, here, config);
  return config;
}

async function exchange(login: string): Promise<{ secret: string; expires: Date | undefined }> {
  const config = await configOf(login);
  const one = config.logins.get("a") as Login;
  const reader = createSecretReader(context, here, config);
  return { secret: (await reader.read(one)).reveal(), expires: await reader.readExpires(one) };
}

const newToken = (): string => randomBytes(24).toString("base64url");
const inMinutes = (minutes: number): Date => new Date(Date.now() + minutes * 60_000);
const ECR =
  "{ registry: 123456789012.dkr.ecr.eu-west-1.amazonaws.com, username: AWS, password: { exchange: ecr } }";
const GOOGLE =
  "{ registry: europe-docker.pkg.dev, username: oauth2accesstoken, password: { exchange: google } }";

test("each provider's own program is asked, and its token and end are read", async () => {
  const token = newToken();
  fakeProgram("aws", `${token}\n`);
  const ecr = await exchange(ECR);
  expect([ecr.secret, callsOf("aws")]).toEqual([token, ["ecr get-login-password --region eu-west-1"]]);
  const hours = ((ecr.expires?.getTime() ?? 0) - Date.now()) / 3_600_000;
  expect(hours > 11.9 && hours <= 12).toBe(true);
  await exchange("{ registry: public.ecr.aws, username: AWS, password: { exchange: ecr } }");
  expect(callsOf("aws")[1]).toBe("ecr-public get-login-password --region us-east-1");

  const end = inMinutes(170);
  const claims = Buffer.from(JSON.stringify({ exp: Math.floor(end.getTime() / 1000) })).toString("base64url");
  const jwt = `${newToken()}.${claims}.${newToken()}`;
  fakeProgram("az", JSON.stringify({ accessToken: jwt, loginServer: "acme.azurecr.io" }));
  const acr = await exchange(
    "{ registry: acme.azurecr.io, username: 00000000-0000-0000-0000-000000000000, password: { exchange: acr } }",
  );
  expect([acr.secret, Math.floor((acr.expires?.getTime() ?? 0) / 1000)]).toEqual([
    jwt,
    Math.floor(end.getTime() / 1000),
  ]);
  expect(callsOf("az")).toEqual(["acr login --name acme --expose-token --output json"]);

  const expiry = inMinutes(50).toISOString();
  fakeProgram("gcloud", JSON.stringify({ credential: { access_token: token, token_expiry: expiry } }));
  const google = await exchange(GOOGLE);
  expect([google.secret, google.expires?.toISOString()]).toEqual([token, expiry]);

  fakeProgram("gh", `${token}\n`);
  const ghcr = await exchange("{ registry: ghcr.io, username: acme, password: { exchange: ghcr } }");
  expect([ghcr.secret, ghcr.expires, callsOf("gh")]).toEqual([token, undefined, ["auth token"]]);

  fakeProgram("docker-credential-ours", JSON.stringify({ ServerURL: "x", Username: "u", Secret: token }));
  const helped = await exchange(
    "{ registry: docker.io, username: u, password: { exchange: { helper: ours, lives: 30m } } }",
  );
  expect([helped.secret, callsOf("docker-credential-ours")]).toEqual([token, ["get"]]);
  expect(readFileSync(join(home, "docker-credential-ours.in"), "utf8")).toBe("https://index.docker.io/v1/\n");
});

test("a token is kept sealed until a quarter of its life is left, for this login, registry and command alone", async () => {
  await ensureVaultKey(here);
  const token = newToken();
  const answer = (minutes: number, what: string): string =>
    JSON.stringify({ credential: { access_token: what, token_expiry: inMinutes(minutes).toISOString() } });
  fakeProgram("gcloud", answer(50, token));
  await exchange(GOOGLE);
  fakeProgram("gcloud", answer(14, "another"));
  expect([(await exchange(GOOGLE)).secret, callsOf("gcloud").length]).toEqual([token, 1]);
  // Another registry is another token; this one ends soon, so it is asked for again each time.
  const other = GOOGLE.replace("europe", "us");
  expect([(await exchange(other)).secret, callsOf("gcloud").length]).toEqual(["another", 2]);
  expect([(await exchange(other)).secret, callsOf("gcloud").length]).toEqual(["another", 3]);
  const cache = join(home, ".config", "wharf", "exchanged.vault");
  expect(statSync(cache).mode & 0o777).toBe(0o600);
  expect(readFileSync(cache, "utf8")).not.toContain(token);
  // Damaged: it is made anew.
  writeFileSync(cache, "not a vault");
  expect([(await exchange(GOOGLE)).secret, callsOf("gcloud").length]).toEqual(["another", 4]);
});

test("nothing runs before it is trusted, and a failure repeats nothing of what was printed", async () => {
  fakeProgram("aws", "a-secret-in-an-error", 1);
  const untrusted = await configOf(ECR, false);
  const read = (config: WharfConfig) =>
    createSecretReader(context, here, config).read(config.logins.get("a") as Login);
  await expect(read(untrusted)).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
  expect(callsOf("aws")).toEqual([]);
  const failed = await read(await configOf(ECR)).catch((cause: unknown) => cause);
  expect(isAppError(failed, "SECRET_UNAVAILABLE") && failed.message).toBe(
    "login a: aws ended with exit code 1",
  );
  fakeProgram("gcloud", JSON.stringify({ credential: { access_token: "t", token_expiry: inMinutes(-1) } }));
  await expect(read(await configOf(GOOGLE))).rejects.toThrow("has ended");
});

test.each([
  ["{ registry: quay.io, username: AWS, password: { exchange: ecr } }", "no registry of ecr"],
  [ECR.replace("username: AWS", "username: me"), "must be AWS"],
  ["{ registry: ghcr.io, username: u, password: { exchange: hub } }", "no such provider"],
  [
    "{ registry: a.example, username: u, password: { exchange: { helper: ../x } } }",
    "name of a credential helper",
  ],
  ["{ registry: a.example, username: u, password: { exchange: { lives: 1h } } }", "`helper:` or `command:`"],
  ["{ registry: a.example, username: u, password: { exchange: { command: [] } } }", "names no program"],
  [
    "{ registry: a.example, username: u, password: { exchange: { command: [x], lives: soon } } }",
    "must be a time",
  ],
])("what cannot be exchanged is said where it stands: %s", (login, why) => {
  const text = `version: 1\nlogins:\n  a: ${login}\n`;
  expect(() => parseConfig("/w/wharf.yaml", text, "/root")).toThrow(why);
});

test("a helper's username must be the login's, and an identity token be meant", () => {
  const source = { answer: "helper", argv: ["docker-credential-x"], livesSeconds: 60 } as const;
  const login = { name: "a", username: "u", identityToken: false };
  const answer = (Username: string): string => JSON.stringify({ Username, Secret: "s" });
  expect(parseExchangeAnswer(login, source, answer("u"), 0).secret.reveal()).toBe("s");
  expect(() => parseExchangeAnswer(login, source, answer("v"), 0)).toThrow("another username");
  expect(() => parseExchangeAnswer(login, source, answer("<token>"), 0)).toThrow("identity token");
  const token = { ...login, identityToken: true };
  expect(parseExchangeAnswer(token, source, answer("<token>"), 0).secret.reveal()).toBe("s");
  expect(() => parseExchangeAnswer(token, source, answer("u"), 0)).toThrow("no identity token");
});

test("whatever a program prints, the answer is a token or an error of ours that quotes nothing", () => {
  const mark = "3a9c0f-printed";
  const json = fc
    .jsonValue()
    .map((value) => JSON.stringify({ accessToken: value, credential: value, note: mark }));
  fc.assert(
    fc.property(
      fc.constantFrom("text" as const, "acr" as const, "google" as const, "helper" as const),
      fc.oneof(
        fc.string(),
        json,
        fc.string().map((text) => `{"${mark}${text}`),
      ),
      (answer, text) => {
        const login = { name: "a", username: "u", identityToken: false };
        try {
          const source = { answer, argv: ["p"], livesSeconds: 60 };
          expect(parseExchangeAnswer(login, source, text, 0).secret.length).toBeGreaterThan(0);
        } catch (cause) {
          if (!isAppError(cause, "SECRET_UNAVAILABLE")) throw cause;
          expect(cause.message + String(cause.cause)).not.toContain(mark);
        }
      },
    ),
    { seed: 12, numRuns: 500 },
  );
});
