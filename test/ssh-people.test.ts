/** Over SSH into people's homes: as root, by sudo, and refused. Accounts are made in a mount namespace of the sshd's own. */
import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout } from "bun:test";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { findProgram, needsThat } from "./support/programs.ts";
import { runCli } from "./support/run-cli.ts";
import { createScratch, type Scratch } from "./support/scratch.ts";
import { startPeopleServer } from "./support/ssh-people.ts";
import type { SshServer } from "./support/ssh-server.ts";
import { watchProcesses } from "./support/watch-processes.ts";

// A busy machine takes its time over each connection.
setDefaultTimeout(60_000);

const SECRET = `canary-${crypto.randomUUID()}`;
const AUTH = Buffer.from(`acme:${SECRET}`).toString("base64");
const canRun =
  process.getuid?.() === 0 &&
  ["sshd", "ssh", "sudo", "unshare", "mount"].every((program) => findProgram(program) !== undefined);
const asRoot = needsThat(canRun, "needs root, sshd, sudo, unshare, mount");
const PEOPLE = { alice: 20_001, deploy: 20_002, carol: 20_003 };

let people: Scratch;
let server: SshServer;
let scratch: Scratch | undefined;

beforeAll(async () => {
  if (!canRun) return;
  people = createScratch("people");
  server = await startPeopleServer(people, PEOPLE, "deploy ALL=(ALL) NOPASSWD: ALL\n");
});

afterAll(async () => {
  await server?.stop();
  people?.remove();
});

afterEach(() => {
  scratch?.remove();
  for (const name of ["root", ...Object.keys(PEOPLE)])
    for (const found of readdirSync(people.at(name))) rmSync(people.at(name, found), { recursive: true });
});

async function apply(delivery: string): Promise<{
  code: number;
  targets: {
    user: string;
    written: unknown[];
    error: { code: string; message: string; hint: string } | null;
  }[];
}> {
  scratch?.remove();
  scratch = createScratch("ssh");
  writeFileSync(
    scratch.at("wharf.yaml"),
    `version: 1\nlogins:\n  hub: { registry: docker.io, username: acme, password: { env: HUB_TOKEN } }\ndeliver:\n  - ${delivery}\n`,
  );
  const env = { ...server.env, HOME: scratch.path, HUB_TOKEN: SECRET };
  const { code, out, err } = await runCli(["apply", "--yes", "--json"], { cwd: scratch.path, env });
  expect(out + err).not.toContain(SECRET);
  return { code, targets: JSON.parse(out).targets };
}

function expectDelivered(name: "root" | keyof typeof PEOPLE): void {
  const uid = name === "root" ? 0 : PEOPLE[name];
  const file = people.at(name, ".docker/config.json");
  expect(readFileSync(file, "utf8")).toContain(AUTH);
  expect([statSync(file).uid, statSync(file).gid, statSync(file).mode & 0o777]).toEqual([uid, uid, 0o600]);
  const folder = statSync(join(file, ".."));
  expect([folder.uid, folder.mode & 0o777]).toEqual([uid, 0o700]);
}

asRoot("root delivers into a person's home as that person, and follows no link out of it", async () => {
  const good = await apply('{ to: docker, at: "ssh://as-root", users: { alice: [hub], carol: [hub] } }');
  expect([good.code, good.targets.map(({ error }) => error)]).toEqual([0, [null, null]]);
  expectDelivered("alice");
  expectDelivered("carol");
  symlinkSync("/etc", people.at("alice", ".config"));
  const linked = await apply('{ to: podman, at: "ssh://as-root", users: { alice: [hub] } }');
  expect(linked.targets).toMatchObject([{ written: [], error: { code: "UNSAFE_PATH" } }]);
  expect(existsSync("/etc/containers/auth.json")).toBe(false);
});

asRoot(
  "by sudo: as root there, or as the person; nothing secret in any process's arguments or environment",
  async () => {
    const watch = watchProcesses([SECRET, AUTH, Buffer.from(SECRET).toString("base64")]);
    const root = await apply('{ to: docker, at: "ssh://as-deploy", sudo: true }');
    expect(root.targets).toMatchObject([{ error: null }]);
    expectDelivered("root");
    const alice = await apply('{ to: docker, at: "ssh://as-deploy", sudo: true, users: { alice: [hub] } }');
    expect(alice.targets).toMatchObject([{ error: null }]);
    expectDelivered("alice");
    const { seen, found } = watch.stop();
    expect([...seen].some((line) => line.includes("sudo") && line.includes("alice"))).toBe(true);
    expect(found).toEqual([]);
  },
);

asRoot("a person delivers to themselves without any power, and to nobody else", async () => {
  const own = await apply('{ to: docker, at: "ssh://as-carol", users: { carol: [hub] } }');
  expect(own.targets).toMatchObject([{ error: null }]);
  expectDelivered("carol");
  const other = await apply('{ to: docker, at: "ssh://as-carol", users: { alice: [hub] } }');
  expect(other.targets).toMatchObject([
    { error: { code: "PERMISSION_DENIED", hint: expect.stringContaining("sudo: true") } },
  ]);
  const sudo = await apply('{ to: docker, at: "ssh://as-carol", sudo: true, users: { alice: [hub] } }');
  expect(sudo.targets).toMatchObject([
    { error: { code: "PERMISSION_DENIED", message: expect.stringContaining("could not act as alice") } },
  ]);
  const stranger = await apply('{ to: docker, at: "ssh://as-root", users: { dave: [hub] } }');
  expect(stranger.targets).toMatchObject([
    { error: { code: "NOT_FOUND", message: expect.stringContaining("dave") } },
  ]);
  expect(existsSync(people.at("alice", ".docker"))).toBe(false);
});

asRoot("what the person may not write is told, and not done with root's power", async () => {
  mkdirSync(people.at("alice", ".docker"), { mode: 0o755 });
  const { targets } = await apply('{ to: docker, at: "ssh://as-root", users: { alice: [hub] } }');
  expect(targets).toMatchObject([{ written: [], error: { code: "PERMISSION_DENIED" } }]);
  expect(readdirSync(people.at("alice", ".docker"))).toEqual([]);
});
