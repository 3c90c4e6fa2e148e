import { afterEach, beforeEach, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Context, Secret, silentLogger } from "#core";
import type { Login, WharfConfig } from "./contract.ts";
import { parseConfig } from "./parse-config.ts";
import { type SealedPart, sealPart } from "./seal-part.ts";
import type { SecretReader } from "./secret-source.ts";
import { openVault } from "./vault.ts";
import type { VaultContent } from "./vault-file.ts";

const context: Context = { signal: new AbortController().signal, log: silentLogger };
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "wharf-seal-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const LOGINS = `version: 1
logins:
  alice-ngc: { registry: nvcr.io, username: alice }
  bob-ngc: { registry: nvcr.io, username: bob, expires: 2027-03-01T12:00:00Z }
  hub: { registry: docker.io, username: acme, expires: 2027-03-01 }
  team: { registry: reg.example:5000/team/a, username: "0123", plain-http: true, realm-hosts: [auth.example], identity-token: true }
`;

function parse(deliver: string): WharfConfig {
  return parseConfig(join(folder, "wharf.yaml"), `${LOGINS}deliver:\n${deliver}`, folder, {
    mayCollide: true,
  });
}

const vault: VaultContent = {
  id: "whole",
  markKey: new Secret(randomBytes(32).toString("hex")),
  recipients: [],
  writers: [],
  secrets: new Map(),
  rotations: new Map(),
};
const secrets: Pick<SecretReader, "read" | "vault"> = {
  read: async (login: Login) => new Secret(`secret of ${login.name}`),
  vault: async () => vault,
};

/** Opens what was sealed with the key beside it. */
async function openSealed(to: string): Promise<VaultContent | undefined> {
  const env = { HOME: folder, WHARF_KEY_FILE: join(to, "key") };
  return await openVault(context, { env, cwd: folder }, join(to, "wharf.yaml"));
}

/** Seals these deliveries, and reads what was written as `wharf` would where the part is used. */
async function sealed(
  deliver: string,
): Promise<{ done: SealedPart; before: WharfConfig; part: WharfConfig }> {
  const before = parse(deliver);
  const to = join(folder, "sealed");
  const done = await sealPart(
    context,
    { config: before, secrets },
    { deliveries: before.deliveries, at: undefined, recipient: undefined, ownKey: undefined, folder: to },
  );
  const path = join(to, "wharf.yaml");
  const part = parseConfig(path, readFileSync(path, "utf8"), folder, { mayCollide: true });
  return { done, before, part };
}

test("each person keeps the logins of `users:`, and nobody else's login is sealed", async () => {
  const { done, before, part } = await sealed(
    '  - { to: enroot, at: "ssh://login1", users: { alice: [alice-ngc], bob: [bob-ngc] } }\n',
  );
  expect(part.deliveries.map(({ users, logins }) => ({ users, logins }))).toEqual(
    before.deliveries.map(({ users, logins }) => ({ users, logins })),
  );
  expect(done.logins).toEqual(["alice-ngc", "bob-ngc"]);
  expect([...part.logins.keys()]).toEqual(["alice-ngc", "bob-ngc"]);
});

test("logins and deliveries are read in the part as they are read in the whole", async () => {
  const { done, before, part } = await sealed(`  - { to: docker, at: "ssh://gpu[1-2]?sudo" }
  - { to: kubernetes, at: "k8s://prod", namespaces: { selector: team=ml }, name: regcred, service-accounts: [default], logins: [team] }
  - { to: ansible, at: local, vault-password: { command: [pass, show, vault] }, logins: [hub] }
`);
  expect(part.logins).toEqual(before.logins);
  const what = ({ deliveries }: WharfConfig) =>
    deliveries.map(({ to, at, logins, users, options }) => ({ to, at: at.text, logins, users, options }));
  expect(what(part)).toEqual(what(before));
  const opened = await openSealed(join(folder, "sealed"));
  expect([...(opened?.secrets ?? [])].map(([name, { secret }]) => [name, secret.reveal()])).toEqual(
    done.logins.map((name) => [name, `secret of ${name}`]),
  );
});

test("a part made anew has the same mark key, so that what was delivered before is known as ours; it is not the vault's", async () => {
  const keys: (string | undefined)[] = [];
  for (const name of ["first", "second"]) {
    const { deliveries } = parse("  - { to: docker, at: local, logins: [hub] }\n");
    const to = join(folder, name);
    await sealPart(
      context,
      { config: parse("  - { to: docker, at: local }\n"), secrets },
      { deliveries, at: undefined, recipient: undefined, ownKey: undefined, folder: to },
    );
    keys.push((await openSealed(to))?.markKey.reveal());
  }
  expect(keys[0]).toMatch(/^[0-9a-f]{64}$/);
  expect(keys[1]).toBe(keys[0]);
  expect(keys).not.toContain(vault.markKey.reveal());
});
