import { afterEach, beforeEach, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AppError, type Context, Secret, silentLogger } from "#core";
import type { Surroundings } from "./contract.ts";
import { readTrust } from "./trust-store.ts";
import { changeVault, openVault, replaceVault } from "./vault.ts";
import type { VaultContent } from "./vault-file.ts";
import { createVaultKey, ensureVaultKey, readVaultKey } from "./vault-key.ts";

const context: Context = { signal: new AbortController().signal, log: silentLogger };
let folder: string;
let config: string;
let alice: Surroundings;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "wharf-vault-"));
  config = join(folder, "wharf.yaml");
  alice = person("alice");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function person(name: string): Surroundings {
  return { env: { HOME: join(folder, name) }, cwd: folder };
}

async function seal(who: Surroundings, name: string, secret: Secret): Promise<string | undefined> {
  const change = await changeVault(context, who, config, (content) => ({
    ...content,
    secrets: new Map(content.secrets).set(name, { registry: "reg.example", username: "u", secret }),
  }));
  return change.madeKeyFile;
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return await work.then(
    () => "no error",
    (cause: AppError) => cause.code,
  );
}

const vaultPath = (): string => join(folder, "wharf.vault");
const newSecret = (): Secret => new Secret(randomBytes(16).toString("hex"));

test("key and vault are made at first use, 0600, and give the secret back", async () => {
  const secret = newSecret();
  const keyFile = join(folder, "alice", ".config", "wharf", "key");
  expect(await seal(alice, "ngc", secret)).toBe(keyFile);
  expect(statSync(keyFile).mode & 0o777).toBe(0o600);
  expect(statSync(vaultPath()).mode & 0o777).toBe(0o600);
  const opened = await openVault(context, alice, config);
  expect(opened?.secrets.get("ngc")?.secret.equals(secret)).toBe(true);
  expect(await seal(alice, "hub", newSecret())).toBeUndefined();
  expect(readdirSync(folder).sort()).toEqual(["alice", "wharf.vault"]);
  expect(readFileSync(vaultPath(), "utf8")).not.toContain(secret.reveal());
});

test("no vault is a value", async () => {
  expect(await openVault(context, alice, config)).toBeUndefined();
});

test("any changed byte is VAULT_TAMPERED or not a vault's content", async () => {
  await seal(alice, "ngc", newSecret());
  const bytes = readFileSync(vaultPath());
  for (let at = 0; at < bytes.length; at += 7) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 1;
    writeFileSync(vaultPath(), changed);
    const code = await codeOf(openVault(context, alice, config));
    expect(["VAULT_TAMPERED", "UNSUPPORTED"]).toContain(code);
  }
});

test("a vault whose signature was taken away is tampered", async () => {
  await seal(alice, "ngc", newSecret());
  const lines = readFileSync(vaultPath(), "utf8").split("\n");
  writeFileSync(vaultPath(), [lines[0], ...lines.slice(3)].join("\n"));
  expect(await codeOf(openVault(context, alice, config))).toBe("VAULT_TAMPERED");
});

test("somebody who knows only the recipient cannot make a vault that is believed", async () => {
  await seal(alice, "ngc", newSecret());
  const key = await readVaultKey(alice);
  const mallory = person("mallory");
  await ensureVaultKey(mallory);
  rmSync(vaultPath());
  await changeVault(context, mallory, config, (content) => ({
    ...content,
    recipients: [key?.recipient ?? ""],
    writers: [...content.writers, key?.writer ?? ""],
  }));
  expect(await codeOf(openVault(context, alice, config))).toBe("VAULT_TAMPERED");
});

test("another key, and no key, do not open it", async () => {
  await seal(alice, "ngc", newSecret());
  const bob = person("bob");
  expect(await codeOf(openVault(context, bob, config))).toBe("VAULT_KEY_WRONG");
  await ensureVaultKey(bob);
  expect(await codeOf(openVault(context, bob, config))).toBe("VAULT_KEY_WRONG");
  const named: Surroundings = {
    ...bob,
    env: { ...bob.env, WHARF_KEY_FILE: join(folder, "alice", ".config", "wharf", "key") },
  };
  expect((await openVault(context, named, config))?.secrets.size).toBe(1);
});

test("a key that others may read is refused", async () => {
  await seal(alice, "ngc", newSecret());
  const keyFile = join(folder, "alice", ".config", "wharf", "key");
  writeFileSync(`${keyFile}.wide`, readFileSync(keyFile), { mode: 0o644 });
  const wide: Surroundings = { ...alice, env: { ...alice.env, WHARF_KEY_FILE: `${keyFile}.wide` } };
  expect(await codeOf(openVault(context, wide, config))).toBe("PERMISSION_DENIED");
});

test("two people share a vault once each trusts the other as a writer", async () => {
  await seal(alice, "ngc", newSecret());
  const bob = person("bob");
  const bobKey = (await ensureVaultKey(bob)).key;
  await changeVault(context, alice, config, (content) => ({
    ...content,
    recipients: [...content.recipients, bobKey.recipient],
    writers: [...content.writers, bobKey.writer],
  }));
  // Bob has never heard of Alice.
  expect(await codeOf(openVault(context, bob, config))).toBe("VAULT_TAMPERED");
  const { changeTrust } = await import("./trust-store.ts");
  const aliceKey = await readVaultKey(alice);
  await changeTrust(context, bob, (store) => ({
    ...store,
    writers: [...store.writers, aliceKey?.writer ?? ""],
  }));
  await seal(bob, "hub", newSecret());
  // Alice named Bob as a writer herself, so his version counts.
  expect([...((await openVault(context, alice, config))?.secrets.keys() ?? [])]).toEqual(["ngc", "hub"]);
  expect(Object.values((await readTrust(alice)).vaults)[0]).toContain(bobKey.writer);
});

test("writers that a stranger lists are not remembered", async () => {
  await seal(alice, "ngc", newSecret());
  const mallory = person("mallory");
  const malloryKey = (await ensureVaultKey(mallory)).key;
  const aliceKey = await readVaultKey(alice);
  rmSync(vaultPath());
  await changeVault(context, mallory, config, (content) => ({
    ...content,
    recipients: [aliceKey?.recipient ?? ""],
    writers: [aliceKey?.writer ?? "", malloryKey.writer],
  }));
  await codeOf(openVault(context, alice, config));
  expect(JSON.stringify(await readTrust(alice))).not.toContain(malloryKey.writer);
});

test("a passphrase serves, and a wrong one is told", async () => {
  const file = join(folder, "passphrase");
  writeFileSync(file, `${randomBytes(12).toString("hex")}\n`, { mode: 0o600 });
  const service: Surroundings = { ...alice, env: { ...alice.env, WHARF_PASSPHRASE_FILE: file } };
  expect(await seal(service, "ngc", newSecret())).toBeUndefined();
  expect((await openVault(context, service, config))?.secrets.size).toBe(1);
  expect(await codeOf(openVault(context, alice, config))).toBe("VAULT_KEY_WRONG");
  writeFileSync(file, "another\n");
  expect(await codeOf(openVault(context, service, config))).toBe("VAULT_KEY_WRONG");
});

test("rekey seals for another key, and the old one no longer opens it", async () => {
  await seal(alice, "ngc", newSecret());
  const next = await createVaultKey(
    new Secret(await (await import("age-encryption")).generateX25519Identity()),
  );
  await replaceVault(context, alice, config, (content) => ({
    content: { ...content, recipients: [next.recipient], writers: [next.writer] },
    access: { kind: "key", key: next },
  }));
  expect(await codeOf(openVault(context, alice, config))).toBe("VAULT_KEY_WRONG");
});

test("eight writers at once lose nothing", async () => {
  await seal(alice, "first", newSecret());
  await Promise.all(Array.from({ length: 8 }, (_, index) => seal(alice, `login-${index}`, newSecret())));
  expect((await openVault(context, alice, config))?.secrets.size).toBe(9);
});

test("nothing is written when nothing changes", async () => {
  await seal(alice, "ngc", newSecret());
  const before = statSync(vaultPath());
  await changeVault(context, alice, config, (content: VaultContent) => content);
  expect(statSync(vaultPath()).ino).toBe(before.ino);
  expect(statSync(vaultPath()).mtimeMs).toBe(before.mtimeMs);
});
