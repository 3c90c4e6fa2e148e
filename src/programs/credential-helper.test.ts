import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { AppError, isAppError, Secret, silentLogger } from "#core";
import { readConfig, saveLogin } from "#logins";
import { answerCredentialHelper, type HelperAction, renderHelperError } from "./credential-helper.ts";
import { parseServerAddress } from "./server-address.ts";
import { parseCredentials } from "./store-credentials.ts";

const NOT_FOUND = "credentials not found in native keychain\n";
const HUB = "https://index.docker.io/v1/";
const context = { signal: new AbortController().signal, log: silentLogger };
let home = "";
let env: Record<string, string>;
let notes: string[];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "wharf-helper-"));
  env = { HOME: home };
  notes = [];
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** What a client sees: exit code 1 has its words on standard output too. */
async function ask(action: HelperAction, input = "", cwd = home): Promise<{ code: number; out: string }> {
  const call = {
    context,
    surroundings: { env, cwd },
    async readInput(maxBytes: number) {
      const bytes = Buffer.from(input);
      if (bytes.length > maxBytes) throw new AppError("TOO_LARGE", "too much");
      return bytes;
    },
    note: (text: string) => void notes.push(text),
  };
  try {
    return { code: 0, out: await answerCredentialHelper(call, action) };
  } catch (cause) {
    return { code: 1, out: renderHelperError(cause) };
  }
}

const configPath = (): string => join(home, ".config/wharf/wharf.yaml");
const save = async (name: string, registry: string, username: string, secret: string): Promise<void> => {
  await saveLogin(context, { env, cwd: home }, configPath(), {
    name,
    registry,
    username,
    secret: new Secret(secret),
  });
};
const word = (): string => `w-${crypto.randomUUID()}`;
function writeConfig(text: string): void {
  mkdirSync(join(home, ".config/wharf"), { recursive: true });
  writeFileSync(configPath(), text);
}

describe("get", () => {
  test("gives the login of a registry, in every spelling of it", async () => {
    const [secret, hubSecret] = [word(), word()];
    await save("ngc", "nvcr.io", "$oauthtoken", secret);
    await save("hub", "docker.io", "acme", hubSecret);
    for (const address of [
      "nvcr.io",
      "https://nvcr.io",
      "https://nvcr.io/",
      "nvcr.io/v2/",
      "NVCR.io\n",
      "nvcr\r\n.io",
    ]) {
      const { code, out } = await ask("get", address);
      expect({ address, code }).toEqual({ address, code: 0 });
      expect(JSON.parse(out)).toMatchObject({ Username: "$oauthtoken", Secret: secret });
    }
    for (const address of [HUB, "docker.io", "index.docker.io", "registry-1.docker.io"])
      expect(JSON.parse((await ask("get", address)).out)).toEqual({
        ServerURL: address,
        Username: "acme",
        Secret: hubSecret,
      });
  });

  test("knows nothing of other hosts, ports and paths, in the protocol's own words", async () => {
    expect(await ask("get", "nvcr.io")).toEqual({ code: 1, out: NOT_FOUND });
    await save("ngc", "nvcr.io", "u", word());
    await save("hub", "docker.io", "acme", word());
    await save("team", "r.example/team", "u", word());
    for (const address of [
      "nvcr.io:443",
      "vcr.io",
      "nvcr.io.example",
      "nvcr.io/team",
      "https://index.docker.io/v1/access-token",
      "r.example",
      "r.example/team",
      "https://u:p@nvcr.io",
      "../nvcr.io",
    ])
      expect({ address, ...(await ask("get", address)) }).toEqual({ address, code: 1, out: NOT_FOUND });
    expect(await ask("get", " \n")).toEqual({ code: 1, out: "no credentials server URL\n" });
    expect((await ask("get", "x".repeat(70_000))).code).toBe(1);
  });

  test("never looks into the current folder, and takes no relative WHARF_CONFIG", async () => {
    const folder = join(home, "checkout");
    mkdirSync(folder);
    writeFileSync(
      join(folder, "wharf.yaml"),
      "version: 1\nlogins:\n  a: { registry: r.example, username: u, password: { env: HOME } }\n",
    );
    expect(await ask("get", "r.example", folder)).toEqual({ code: 1, out: NOT_FOUND });
    env["WHARF_CONFIG"] = "wharf.yaml";
    expect((await ask("get", "r.example", folder)).out).toContain("no absolute path");
    env["WHARF_CONFIG"] = join(folder, "wharf.yaml");
    expect(JSON.parse((await ask("get", "r.example", folder)).out)).toMatchObject({ Secret: home });
    env["WHARF_CONFIG"] = join(folder, "missing.yaml");
    expect((await ask("get", "r.example", folder)).out).toContain("there is no file");
  });

  test("an identity token stands under <token>", async () => {
    writeConfig(
      "version: 1\nlogins:\n  az: { registry: r.example, username: u, identity-token: true, password: { env: TOKEN } }\n",
    );
    env["TOKEN"] = word();
    expect(JSON.parse((await ask("get", "r.example")).out)).toEqual({
      ServerURL: "r.example",
      Username: "<token>",
      Secret: env["TOKEN"],
    });
  });

  test("an ended login is given, with a word to standard error", async () => {
    writeConfig(
      "version: 1\nlogins:\n  old: { registry: r.example, username: u, expires: 2020-01-01, password: { env: TOKEN } }\n",
    );
    env["TOKEN"] = word();
    expect((await ask("get", "r.example")).code).toBe(0);
    expect(notes).toEqual(["login old ended on 2020-01-01, by wharf.yaml"]);
  });

  test("a command runs only once it was trusted", async () => {
    const mark = join(home, "ran");
    writeConfig(
      `version: 1\nlogins:\n  c: { registry: r.example, username: u, password: { command: [touch, ${mark}] } }\n`,
    );
    const { code, out } = await ask("get", "r.example");
    expect(code).toBe(1);
    expect(out).toContain("wharf trust");
    expect(await Bun.file(mark).exists()).toBe(false);
    expect(JSON.parse((await ask("list")).out)).toEqual({});
  });

  test("a vault with a passphrase says that nobody can be asked", async () => {
    const file = join(home, "passphrase");
    writeFileSync(file, word(), { mode: 0o600 });
    env["WHARF_PASSPHRASE_FILE"] = file;
    await save("ngc", "nvcr.io", "u", word());
    delete env["WHARF_PASSPHRASE_FILE"];
    const { code, out } = await ask("get", "nvcr.io");
    expect(code).toBe(1);
    expect(out).toContain("passphrase");
    expect(out).toContain("wharf vault rekey");
    expect(out.trim()).not.toContain("\n");
  });

  test("two logins of one registry: the one that a delivery with this helper names", async () => {
    const two = (deliver: string): string =>
      `version: 1\nlogins:\n  a: { registry: r.example, username: a, password: { env: A } }\n  b: { registry: r.example, username: b, password: { env: B } }\ndeliver:\n${deliver}\n`;
    env["A"] = word();
    env["B"] = word();
    writeConfig(two("  - { to: docker, logins: [a] }\n  - { to: podman, logins: [b] }"));
    expect((await ask("get", "r.example")).out).toContain("logins a, b are all for r.example");
    expect(JSON.parse((await ask("list")).out)).toEqual({});
    writeConfig(two("  - { to: docker, helper: wharf, logins: [b] }\n  - { to: podman, logins: [a] }"));
    expect(JSON.parse((await ask("get", "r.example")).out)).toMatchObject({ Username: "b" });
    expect(JSON.parse((await ask("list")).out)).toEqual({ "r.example": "b" });
  });
});

test("list names whole registries, and opens no vault", async () => {
  expect(await ask("list")).toEqual({ code: 0, out: "{}\n" });
  await save("ngc", "nvcr.io", "$oauthtoken", word());
  await save("hub", "docker.io", "acme", word());
  await save("team", "r.example/team", "u", word());
  rmSync(join(home, ".config/wharf/key"));
  expect(JSON.parse((await ask("list")).out)).toEqual({ "nvcr.io": "$oauthtoken", [HUB]: "acme" });
});

test("version is name, package and version", async () => {
  expect((await ask("version")).out).toMatch(/^docker-credential-wharf \(wharfinger\) \d+\.\d+\.\d+\n$/);
});

describe("store", () => {
  const stored = (ServerURL: string, Username: string, secret: string): string =>
    JSON.stringify({ ServerURL, Username, Secret: secret });

  test("makes configuration, vault and key at the first, then renews the same login", async () => {
    const [first, second] = [word(), `${word()}\n"\\ü`];
    expect(await ask("store", stored("r.example:5000", "bob", first))).toEqual({ code: 0, out: "" });
    expect(notes[0]).toContain("vault's key");
    expect(JSON.parse((await ask("get", "r.example:5000")).out)).toMatchObject({ Secret: first });
    expect(await ask("store", stored("https://r.example:5000/v2/", "bob", second))).toEqual({
      code: 0,
      out: "",
    });
    expect(JSON.parse((await ask("get", "r.example:5000")).out)).toMatchObject({
      Username: "bob",
      Secret: second,
    });
    const text = readFileSync(configPath(), "utf8");
    expect(text).not.toContain(first);
    expect([...(await readConfig({ env, cwd: home }, configPath())).logins.keys()]).toHaveLength(1);
    expect(statSync(join(home, ".config/wharf/wharf.vault")).mode & 0o777).toBe(0o600);
  });

  test("Hub's key becomes docker.io, and <token> an identity token", async () => {
    await ask("store", stored(HUB, "acme", word()));
    const token = word();
    await ask("store", stored("r.example", "<token>", token));
    const { logins } = await readConfig({ env, cwd: home }, configPath());
    expect([...logins.values()].map(({ registry, identityToken }) => [registry, identityToken])).toEqual([
      ["docker.io", false],
      ["r.example", true],
    ]);
    expect(JSON.parse((await ask("get", "r.example")).out)).toMatchObject({
      Username: "<token>",
      Secret: token,
    });
  });

  test("does not change the account or the source of a login that goes elsewhere too", async () => {
    const secret = word();
    await save("ngc", "nvcr.io", "robot", secret);
    const { code, out } = await ask("store", stored("nvcr.io", "alice", word()));
    expect(code).toBe(1);
    expect(out).toContain("login ngc is for nvcr.io already, as robot");
    expect(JSON.parse((await ask("get", "nvcr.io")).out)).toMatchObject({
      Username: "robot",
      Secret: secret,
    });
    writeConfig("version: 1\nlogins:\n  e: { registry: r.example, username: u, password: { env: E } }\n");
    expect((await ask("store", stored("r.example", "u", word()))).out).toContain("takes its secret from env");
  });

  test("refuses what is no login, without repeating it", async () => {
    const secret = word();
    for (const [input, says] of [
      ["", "not JSON"],
      [`{"Secret":"${secret}"`, "not JSON"],
      ["[]", "no JSON object"],
      [stored("", "u", secret), "no credentials server URL"],
      [stored("r.example", "", secret), "no credentials username"],
      [stored("r.example", "u", ""), "the secret is empty"],
      [stored("r.example", "u", `${secret}\0`), "NUL"],
      [stored("https://index.docker.io/v1/access-token", "u", secret), "whole registries"],
      [stored("r.example", "a:b", secret), "':'"],
      [JSON.stringify({ ServerURL: "r.example", Username: 1, Secret: secret }), "Username is no text"],
    ] as const) {
      const { code, out } = await ask("store", input);
      expect({ input, code }).toEqual({ input, code: 1 });
      expect(out).toContain(says);
      expect(out).not.toContain(secret);
    }
    expect(await Bun.file(configPath()).exists()).toBe(false);
  });
});

test("erase takes nothing from the vault, and says so; of what is not ours it says nothing", async () => {
  const secret = word();
  await save("ngc", "nvcr.io", "u", secret);
  const { code, out } = await ask("erase", "nvcr.io");
  expect(code).toBe(1);
  expect(out).toBe("login ngc stays in wharf's vault (to delete it: wharf logout ngc)\n");
  expect(notes.at(-1)).toBe("login ngc stays in wharf's vault; to delete it: wharf logout ngc");
  expect(JSON.parse((await ask("get", "nvcr.io")).out)).toMatchObject({ Secret: secret });
  for (const other of ["other.example", "https://index.docker.io/v1/refresh-token"])
    expect(await ask("erase", other)).toEqual({ code: 0, out: "" });
});

test("property: no text makes the parsers throw anything but their own, and an address is canonical", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), (text) => {
      const registry = parseServerAddress(text);
      if (registry !== undefined) expect(parseServerAddress(registry)).toBe(registry);
      try {
        parseCredentials(text);
      } catch (cause) {
        expect(isAppError(cause, "INVALID_INPUT")).toBe(true);
      }
    }),
    { seed: 4, numRuns: 500 },
  );
});
