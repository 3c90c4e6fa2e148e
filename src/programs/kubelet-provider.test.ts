import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { isAppError, silentLogger } from "#core";
import { answerKubelet } from "./kubelet-provider.ts";
import { parseKubeletRequest } from "./kubelet-request.ts";

const NOW = new Date("2026-11-22T12:00:00Z");
const V1 = "credentialprovider.kubelet.k8s.io/v1";
const context = { signal: new AbortController().signal, log: silentLogger };
let home = "";
let env: Record<string, string>;
let notes: string[];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "wharf-kubelet-"));
  mkdirSync(join(home, ".config/wharf"), { recursive: true });
  env = { HOME: home, ONE: `one-${crypto.randomUUID()}`, TWO: `two-${crypto.randomUUID()}` };
  notes = [];
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function configure(logins: readonly string[]): void {
  const text = `version: 1\nlogins:\n${logins.map((line) => `  ${line}\n`).join("")}`;
  writeFileSync(join(home, ".config/wharf/wharf.yaml"), text);
}

async function ask(image: string, more: object = {}): Promise<string> {
  const request = JSON.stringify({ apiVersion: V1, kind: "CredentialProviderRequest", image, ...more });
  const call = {
    context,
    surroundings: { env, cwd: home },
    readInput: async () => Buffer.from(request),
    note: (text: string) => void notes.push(text),
  };
  return await answerKubelet(call, NOW);
}

const nothing = (apiVersion = V1): string =>
  `{"apiVersion":"${apiVersion}","kind":"CredentialProviderResponse","cacheKeyType":"Image","cacheDuration":"0s","auth":null}\n`;
const given = (image: string, username: string, secret: string | undefined, cache = "300s"): string =>
  `{"apiVersion":"${V1}","kind":"CredentialProviderResponse","cacheKeyType":"Image","cacheDuration":"${cache}","auth":{"${image}":{"username":"${username}","password":"${secret}"}}}\n`;

const ONE = "one: { registry: r.example, username: u1, password: { env: ONE } }";
const TEAM = "two: { registry: r.example/team, username: u2, password: { env: TWO } }";
const HUB = "hub: { registry: docker.io, username: acme, password: { env: ONE } }";

test("the answer, byte for byte: this image, its login, for five minutes", async () => {
  configure([ONE, TEAM, HUB]);
  expect(await ask("r.example/app")).toBe(given("r.example/app", "u1", env["ONE"]));
  expect(await ask("r.example/team/app")).toBe(given("r.example/team/app", "u2", env["TWO"]));
  // By whole segments, where the kubelet's own match is by prefix.
  expect(await ask("r.example/teamwork/app")).toBe(given("r.example/teamwork/app", "u1", env["ONE"]));
  expect(await ask("docker.io/library/nginx")).toBe(given("docker.io/library/nginx", "acme", env["ONE"]));
});

test("nothing for other registries, ports and paths; nor without a wharf.yaml", async () => {
  expect(await ask("r.example/app")).toBe(nothing());
  configure([TEAM]);
  for (const image of ["r.example/app", "r.example:443/team/app", "other.example/team/app", "team/app"])
    expect({ image, out: await ask(image) }).toEqual({ image, out: nothing() });
});

test("the answer has the request's version, and a service account's fields are taken", async () => {
  configure([ONE]);
  const beta = "credentialprovider.kubelet.k8s.io/v1beta1";
  expect(await ask("x.example/app", { apiVersion: beta })).toBe(nothing(beta));
  const account = { serviceAccountToken: `t-${crypto.randomUUID()}`, serviceAccountAnnotations: { a: "b" } };
  expect(await ask("r.example/app", account)).toBe(given("r.example/app", "u1", env["ONE"]));
});

test("what would break pulls of public images is not given: ended logins, identity tokens", async () => {
  configure([ONE.replace("username", "expires: 2026-11-22T11:00:00Z, username")]);
  expect(await ask("r.example/app")).toBe(nothing());
  configure([ONE.replace("username", "identity-token: true, username")]);
  expect(await ask("r.example/app")).toBe(nothing());
  expect(notes).toEqual([
    "login one ended on 2026-11-22 and is not given",
    "login one is an identity token, which the kubelet cannot use",
  ]);
  configure([ONE.replace("username", "expires: 2026-11-22T12:01:30Z, username")]);
  expect(await ask("r.example/app")).toBe(given("r.example/app", "u1", env["ONE"], "90s"));
});

test("no request that is not the kubelet's, and its token is not repeated", async () => {
  const token = `t-${crypto.randomUUID()}`;
  const wrong = [
    { kind: "CredentialProviderResponse" },
    { apiVersion: "v1" },
    { image: "" },
    { image: 1 },
    { serviceAccountToken: 1 },
    { serviceAccountAnnotations: { a: 1 } },
    { serviceAccountAnnotations: [] },
  ];
  for (const more of wrong) {
    const failed = ask("r.example/app", { serviceAccountToken: token, ...more });
    const error: unknown = await failed.catch((cause: unknown) => cause);
    expect({ more, is: isAppError(error, "INVALID_INPUT") }).toEqual({ more, is: true });
    expect(String(error)).not.toContain(token);
  }
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      try {
        parseKubeletRequest(text);
      } catch (cause) {
        expect(isAppError(cause, "INVALID_INPUT")).toBe(true);
      }
    }),
    { seed: 5, numRuns: 500 },
  );
});

test("the file of a delivery, where one is named: its longest path, by whole segments", async () => {
  configure([ONE]);
  const file = join(home, "logins.json");
  env["WHARF_KUBELET_LOGINS"] = file;
  const entry = (pair: string): object => ({ auth: Buffer.from(pair).toString("base64") });
  const word = crypto.randomUUID();
  const auths = {
    "r.example/team": entry(`team:${word}`),
    "docker.io": entry(`hub:${word}`),
    "z.azurecr.io": { ...entry("z:"), identitytoken: word },
  };
  writeFileSync(file, JSON.stringify({ auths }));
  expect(await ask("r.example/team/app")).toBe(given("r.example/team/app", "team", word));
  expect(await ask("r.example/team")).toBe(given("r.example/team", "team", word));
  expect(await ask("docker.io/library/nginx")).toBe(given("docker.io/library/nginx", "hub", word));
  // wharf.yaml has one for it; the delivery does not.
  for (const image of ["r.example/teamwork/app", "r.example/app", "r.example:443/team/app", "z.azurecr.io/x"])
    expect(await ask(image)).toBe(nothing());
  expect(notes).toEqual([`z.azurecr.io in ${file} is an identity token, which the kubelet cannot use`]);
});

test("a delivered file that is missing, broken or named without its folder is a fault, not nothing", async () => {
  const file = join(home, "logins.json");
  const codeOf = async (): Promise<string> => {
    try {
      await ask("r.example/app");
      return "no error";
    } catch (fault) {
      return isAppError(fault) ? fault.code : String(fault);
    }
  };
  env["WHARF_KUBELET_LOGINS"] = file;
  expect(await codeOf()).toBe("CONFIG_NOT_FOUND");
  writeFileSync(file, "{");
  expect(await codeOf()).toBe("FILE_INVALID");
  env["WHARF_KUBELET_LOGINS"] = "logins.json";
  expect(await codeOf()).toBe("CONFIG_INVALID");
});
