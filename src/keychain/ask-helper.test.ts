import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmodSync, writeFileSync } from "node:fs";
import { consumers } from "#consumers";
import { type Context, type LogFields, silentLogger } from "#core";
import type { Place } from "#places";
import { createScratch, type Scratch } from "../../test/support/scratch.ts";
import { askHelper } from "./ask-helper.ts";
import { ANONYMOUS } from "./contract.ts";
import { createMachineKeychain } from "./machine-keychain.ts";

let scratch: Scratch;
beforeAll(() => {
  scratch = createScratch("helper");
});
afterAll(() => scratch.remove());

const warned: (LogFields | undefined)[] = [];
const context: Context = {
  signal: new AbortController().signal,
  log: { ...silentLogger, warn: (_message, fields) => void warned.push(fields) },
};

/** A helper that is this shell script; what it is asked is in `$server`. */
function helper(name: string, script: string): { name: string; env: Record<string, string | undefined> } {
  const path = scratch.at(`docker-credential-${name}`);
  writeFileSync(path, `#!/bin/sh\n[ "$1" = get ] || exit 9\nserver=$(cat)\n${script}\n`);
  chmodSync(path, 0o755);
  return { name, env: { PATH: `${scratch.path}:${process.env["PATH"]}` } };
}

test("a helper is asked by docker's name of the registry", async () => {
  const echo = helper("echo", `printf '{"ServerURL":"x","Username":"me","Secret":"%s"}' "$server"`);
  const hub = await askHelper(context, echo, "docker.io");
  const own = await askHelper(context, echo, "r.example:5000");
  expect([hub, own].map((login) => login !== ANONYMOUS && login.secret.reveal())).toEqual([
    "https://index.docker.io/v1/",
    "r.example:5000",
  ]);
  expect(own).toMatchObject({ username: "me", identityToken: false, from: "docker-credential-echo" });
  const token = helper("token", `printf '{"Username":"<token>","Secret":"t"}'`);
  expect(await askHelper(context, token, "r.example")).toMatchObject({ identityToken: true });
});

test("a helper without this login is anonymous; one that fails says so without its output", async () => {
  const none = helper("none", "echo 'credentials not found in native keychain'; exit 1");
  expect(await askHelper(context, none, "r.example")).toBe(ANONYMOUS);
  for (const script of ["echo canary; exit 3", "echo canary", `echo '{"Username":"canary"}'`, "echo null"]) {
    const failure: unknown = await askHelper(context, helper("bad", script), "r.example").catch(
      (cause: unknown) => cause,
    );
    expect(failure).toMatchObject({ code: "PROGRAM_FAILED" });
    expect(String(failure)).not.toContain("canary");
  }
  await expect(askHelper(context, { name: "../x", env: {} }, "r.example")).rejects.toMatchObject({
    code: "INVALID_INPUT",
  });
});

test("the keychain of a machine runs the helper that docker would, where it may", async () => {
  const { env } = helper("store", `printf '{"Username":"kept","Secret":"s"}'`);
  const config = JSON.stringify({ credsStore: "store", credHelpers: { "broken.example": "not-here" } });
  const place = {
    name: "local",
    facts: () => Promise.resolve({ home: "/home/ann", user: "ann", uid: 1000, env: {} }),
    read: (_context: Context, path: string) =>
      Promise.resolve(
        path === "/home/ann/.docker/config.json"
          ? { bytes: Buffer.from(config), mode: 0o600, uid: 0, gid: 0 }
          : undefined,
      ),
  } as unknown as Place;
  const keychain = createMachineKeychain(place, consumers, env);
  expect(await keychain.find(context, "r.example/x")).toMatchObject({ username: "kept" });
  expect(await createMachineKeychain(place, consumers).find(context, "r.example/x")).toBe(ANONYMOUS);
  warned.length = 0;
  expect(await keychain.find(context, "broken.example/x")).toBe(ANONYMOUS);
  expect(warned.some((fields) => fields?.["helper"] === "not-here")).toBe(true);
});
