/** Over SSH into people's homes: as root, by sudo, and refused. Accounts are made in a mount namespace of the sshd's own. */
import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout } from "bun:test";
import {
  chmodSync,
  chownSync,
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
import { findProgram, needsThat, programPath } from "./support/programs.ts";
import { runCli } from "./support/run-cli.ts";
import { createScratch, type Scratch } from "./support/scratch.ts";
import { type SshServer, startSshServer } from "./support/ssh-server.ts";

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
  chmodSync(people.path, 0o755);
  for (const [name, uid] of Object.entries({ root: 0, ...PEOPLE })) {
    mkdirSync(people.at(name), { mode: 0o700 });
    chownSync(people.at(name), uid, uid);
  }
  // root's home too, so that nothing of this machine's is touched.
  const passwd = readFileSync("/etc/passwd", "utf8").replace(
    /^root:.*$/m,
    `root:*:0:0:root:${people.at("root")}:/bin/sh`,
  );
  const lines = Object.entries(PEOPLE).map(
    ([name, uid]) => `${name}:*:${uid}:${uid}::${people.at(name)}:/bin/sh\n`,
  );
  const groups = Object.entries(PEOPLE).map(([name, gid]) => `${name}:x:${gid}:\n`);
  writeFileSync(people.at("passwd"), passwd + lines.join(""));
  writeFileSync(people.at("group"), readFileSync("/etc/group", "utf8") + groups.join(""));
  writeFileSync(people.at("sudoers"), "root ALL=(ALL) ALL\ndeploy ALL=(ALL) NOPASSWD: ALL\n", {
    mode: 0o440,
  });
  const mount = programPath("mount");
  const binds = ["passwd", "group", "sudoers"].map(
    (name) => `${mount} --bind ${people.at(name)} /etc/${name}`,
  );
  server = await startSshServer({
    prefix: [programPath("unshare"), "--mount", "sh", "-c", `${binds.join(" && ")} && exec "$@"`, "sh"],
  });
  for (const name of ["root", ...Object.keys(PEOPLE)])
    server.addHost(`as-${name}`, [`User ${name}`, `SetEnv WHARF_TEST_HOME=${people.at(name)}`]);
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

/** Looks at every process's arguments and environment again and again. */
function watchProcesses(secrets: readonly string[]): {
  stop(): { seen: ReadonlySet<string>; found: readonly string[] };
} {
  const seen = new Set<string>();
  const found: string[] = [];
  const timer = setInterval(() => {
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      for (const file of ["cmdline", "environ"]) {
        let text: string;
        try {
          text = readFileSync(`/proc/${pid}/${file}`, "utf8");
        } catch {
          // It has ended meanwhile.
          continue;
        }
        if (file === "cmdline") seen.add(text.replaceAll("\0", " "));
        if (secrets.some((secret) => text.includes(secret))) found.push(`${file} of ${pid}`);
      }
    }
  }, 10);
  return {
    stop: () => {
      clearInterval(timer);
      return { seen, found };
    },
  };
}
