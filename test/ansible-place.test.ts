/** Hosts of a site's Ansible, by the real ansible-core over a real sshd: delivered by a playbook, and named for ssh. */
import { afterAll, afterEach, beforeAll, expect } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { findProgram, needs, needsThat } from "./support/programs.ts";
import { type CliOptions, runCli } from "./support/run-cli.ts";
import { createScratch, type Scratch } from "./support/scratch.ts";
import { type SshServer, startSshServer } from "./support/ssh-server.ts";

const SECRET = `canary-${crypto.randomUUID()}`;
const HOSTS = ["node1", "node2", "node3"] as const;
const LIMIT_MS = 480_000;
const withAnsible = needs("ansible-playbook", "ansible-inventory", "sshd", "ssh", "ssh-keygen");

let server: SshServer;
let scratch: Scratch;
const homes = new Map<string, string>();

beforeAll(async () => {
  if (findProgram("sshd") === undefined || findProgram("ssh") === undefined) return;
  server = await startSshServer({ more: ["MaxStartups 100:30:300"] });
  for (const name of HOSTS) homes.set(name, server.addHost(name));
}, 60_000);
afterAll(async () => {
  await server?.stop();
});
afterEach(() => scratch?.remove());

/** A site's folder: ansible.cfg, an inventory that holds a secret of its own, and a wharf.yaml. */
function site(...deliveries: readonly string[]): void {
  scratch = createScratch("site");
  mkdirSync(scratch.at("cp"), { mode: 0o700 });
  writeFileSync(
    scratch.at("ansible.cfg"),
    `[defaults]\ninventory = hosts.ini\nlog_path = ${scratch.at("ansible.log")}\nfact_caching = jsonfile\nfact_caching_connection = ${scratch.at("facts")}\nlocal_tmp = ${scratch.at("tmp")}\nhost_key_checking = False\n[ssh_connection]\nssh_executable = ${join(server.folder, "bin", "ssh")}\ncontrol_path_dir = ${scratch.at("cp")}\nssh_args = -o ControlMaster=no\n`,
  );
  writeFileSync(
    scratch.at("hosts.ini"),
    `[gpu]\nnode1\nnode2 ansible_host=node2\n[login]\nnode3\n[cluster:children]\ngpu\nlogin\n[down]\ngone ansible_port=1 ansible_ssh_timeout=5\n[all:vars]\ntheirs=not-ours\n`,
  );
  deliver(...deliveries);
}

function deliver(...deliveries: readonly string[]): void {
  writeFileSync(
    scratch.at("wharf.yaml"),
    `version: 1\nlogins:\n  hub: { registry: docker.io, username: acme, password: { env: HUB_TOKEN } }\ndeliver:\n${deliveries.map((line) => `  - ${line}\n`).join("")}`,
  );
}

function options(): CliOptions {
  return {
    cwd: scratch.path,
    env: {
      PATH: server.env["PATH"] ?? "",
      XDG_RUNTIME_DIR: server.env["XDG_RUNTIME_DIR"] ?? "",
      HOME: scratch.path,
      LC_ALL: "C.UTF-8",
      HUB_TOKEN: SECRET,
      ANSIBLE_DEBUG: "1",
    },
  };
}

const wharf = (line: string) => runCli(line.split(" "), options());
const fileOf = (host: string): string => join(homes.get(host) ?? "", ".docker/config.json");
const auth = Buffer.from(`acme:${SECRET}`).toString("base64");
const forms = [SECRET, auth, Buffer.from(SECRET).toString("base64")];

function reset(): void {
  for (const host of HOSTS) Bun.spawnSync(["rm", "-rf", join(homes.get(host) ?? "", ".docker")]);
}

/** Every file below a folder, with its text. */
function textsBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"));
}

withAnsible(
  "ansible://GROUP: a playbook by the site's own ansible-core delivers, finds drift and takes back; the secret is nowhere but in the file",
  async () => {
    reset();
    site('{ to: docker, at: "ansible://cluster" }');
    const untrusted = await wharf("plan --json");
    expect(JSON.parse(untrusted.out).targets).toMatchObject([
      { place: "ansible://cluster", error: { code: "PERMISSION_DENIED" } },
    ]);
    expect((await wharf("trust --yes")).err).toContain("ansible-playbook");
    const seen: string[] = [];
    const watching = setInterval(() => seen.push(processes()), 50);
    const applied = await wharf("apply --yes --json").finally(() => clearInterval(watching));
    expect([applied.code, applied.err]).toEqual([0, ""]);
    expect(JSON.parse(applied.out).targets.map(({ place }: { place: string }) => place)).toEqual(
      HOSTS.map((host) => `ansible://${host}`),
    );
    for (const host of HOSTS) {
      expect(readFileSync(fileOf(host), "utf8")).toContain(auth);
      expect(statSync(fileOf(host)).mode & 0o777).toBe(0o600);
    }
    expect(seen.some((text) => text.includes("ansible-playbook"))).toBe(true);
    const elsewhere = [applied.out, server.commands().join("\n"), ...seen, ...textsBelow(scratch.path)].join(
      "\n",
    );
    for (const form of forms) expect(elsewhere.includes(form)).toBe(false);
    // Nothing of Ansible's own was brought to the hosts.
    for (const host of HOSTS) expect(readdirSync(homes.get(host) ?? "")).toEqual([".docker"]);
    expect((await wharf("apply --yes")).err).toContain("nothing to do");
    writeFileSync(fileOf("node2"), "{}");
    const plan = await wharf("plan --json --at ansible://cluster");
    expect(plan.err).toBe("");
    const planned = JSON.parse(plan.out);
    expect(planned.targets).toMatchObject([
      { place: "ansible://node1", files: [{ action: "none" }] },
      { place: "ansible://node2", files: [{ changes: [{ cause: "changed there" }] }] },
      { place: "ansible://node3", files: [{ action: "none" }] },
    ]);
    expect((await wharf("apply --yes --at ansible://node2")).code).toBe(0);
    expect(readFileSync(fileOf("node2"), "utf8")).toContain(auth);
    // node3 leaves the group, and with it goes what was delivered there.
    deliver('{ to: docker, at: "ansible://gpu" }');
    await wharf("trust --yes");
    expect((await wharf("apply --yes")).code).toBe(0);
    expect(HOSTS.map((host) => existsSync(fileOf(host)))).toEqual([true, true, false]);
    expect((await wharf("revoke hub --keep")).code).toBe(0);
    expect(HOSTS.some((host) => existsSync(fileOf(host)))).toBe(false);
  },
  LIMIT_MS,
);

withAnsible(
  "a host that is down costs the others nothing, and a lost inventory takes nothing away",
  async () => {
    reset();
    site(
      '{ to: docker, at: "ansible://gpu?inventory=hosts.ini" }',
      '{ to: docker, at: "ansible://down?inventory=hosts.ini" }',
    );
    server.addHost("gone", ["Port 1"]);
    await wharf("trust --yes");
    const applied = await wharf("apply --yes --json");
    expect(applied.code).toBe(3);
    expect(
      JSON.parse(applied.out).targets.map(
        ({ place, error }: { place: string; error: { code: string } | null }) => [place, error?.code],
      ),
    ).toEqual([
      ["ansible://node1?inventory=hosts.ini", undefined],
      ["ansible://node2?inventory=hosts.ini", undefined],
      ["ansible://gone?inventory=hosts.ini", "UNREACHABLE"],
    ]);
    writeFileSync(scratch.at("hosts.ini"), "[gpu\n");
    const lost = await wharf("apply --yes --json");
    expect(lost.code).toBe(3);
    expect(JSON.parse(lost.out).targets.map(({ error }: { error: { code: string } }) => error.code)).toEqual([
      "PROGRAM_FAILED",
      "PROGRAM_FAILED",
    ]);
    expect(existsSync(fileOf("node1"))).toBe(true);
  },
  LIMIT_MS,
);

withAnsible(
  "ssh://@ansible:GROUP: the inventory's hosts, reached by OpenSSH alone",
  async () => {
    reset();
    site('{ to: docker, at: "ssh://@ansible:gpu" }');
    await wharf("trust --yes");
    const applied = await wharf("apply --yes --json");
    expect([applied.code, applied.err]).toEqual([0, ""]);
    expect(JSON.parse(applied.out).targets.map(({ place }: { place: string }) => place)).toEqual([
      "ssh://node1",
      "ssh://node2",
    ]);
    expect(HOSTS.map((host) => existsSync(fileOf(host)))).toEqual([true, true, false]);
    expect((await wharf("check --offline --at ssh://@ansible:gpu")).code).toBe(0);
    expect((await wharf("revoke hub --keep")).code).toBe(0);
  },
  LIMIT_MS,
);

(process.getuid?.() === 0 && findProgram("sudo") !== undefined
  ? withAnsible
  : needsThat(false, "needs root and sudo"))(
  "sudo: true is become: the play acts as root there, with root's own home; nothing is written",
  async () => {
    site('{ to: docker, at: "ansible://node1", sudo: true }');
    await wharf("trust --yes");
    const plan = JSON.parse((await wharf("plan --json")).out);
    expect(plan.targets).toMatchObject([
      {
        place: "ansible://node1?sudo",
        error: null,
        files: [{ path: `${userInfo().homedir}/.docker/config.json` }],
      },
    ]);
    expect(server.commands().join("\n")).toContain("sudo -H -S -n");
  },
  LIMIT_MS,
);

function processes(): string {
  const { stdout } = Bun.spawnSync([
    "sh",
    "-c",
    "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'",
  ]);
  return stdout.toString();
}
