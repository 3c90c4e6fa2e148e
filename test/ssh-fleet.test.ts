/**
 * One delivery to many hosts of a real sshd, a few of which are out of order, each in its way: a run is killed in the middle, the next one
 * finishes, and what was mended is tried again. 20 hosts; 200 with SLOW=1, which says what it saw (WHARF_REPORT names a file for it).
 */
import { afterAll, beforeAll, expect, setDefaultTimeout } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findProgram, needsThat, programPath, repository } from "./support/programs.ts";
import { mustRun } from "./support/run-program.ts";
import { createScratch, type Scratch } from "./support/scratch.ts";
import { startPeopleServer } from "./support/ssh-people.ts";
import type { SshServer } from "./support/ssh-server.ts";
import { until } from "./support/until.ts";
import { watchProcesses } from "./support/watch-processes.ts";

// A busy machine takes its time over each connection.
setDefaultTimeout(1_800_000);

const isSlow = process.env["SLOW"] === "1";
const HOSTS = isSlow ? 200 : 20;
const SECRET = `canary-${crypto.randomUUID()}`;
const AUTH = Buffer.from(`acme:${SECRET}`).toString("base64");
const FORMS = [SECRET, AUTH, Buffer.from(SECRET).toString("base64")];
const OLD = '{ "HttpHeaders": { "a": "b" } }\n';
const canRun =
  process.getuid?.() === 0 &&
  ["sshd", "ssh", "ssh-keygen", "sudo", "unshare", "mount"].every((name) => findProgram(name) !== undefined);
const asRoot = needsThat(canRun, "needs root, sshd, sudo, unshare, mount");

interface Outcome {
  readonly place: string;
  readonly error: { readonly code: string; readonly message: string } | null;
}

let people: Scratch;
let server: SshServer;
let owner: Scratch;
const homes = new Map<string, string>();
const figures = new Map<string, string>();

beforeAll(async () => {
  if (!canRun) return;
  people = createScratch("fleet");
  owner = createScratch("owner");
  mkdirSync(people.at("full"), { mode: 0o700 });
  // Before the server's own mounts are made, so that both see it.
  await mustRun([programPath("mount"), "-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs", people.at("full")]);
  server = await startPeopleServer(people, { carol: 20_003 }, "");
  for (let index = 1; index <= HOSTS; index++) {
    const name = `gpu${String(index).padStart(3, "0")}`;
    homes.set(name, server.addHost(name));
  }
}, 120_000);

afterAll(async () => {
  await server?.stop();
  if (!canRun) return;
  await mustRun(["umount", people.at("full")]);
  people.remove();
  owner.remove();
});

function startWharf(...args: readonly string[]): Bun.Subprocess<"ignore", "pipe", "pipe"> {
  return Bun.spawn([join(repository, "bin/wharf"), ...args], {
    cwd: owner.path,
    env: { ...server.env, HOME: owner.path, PATH: `${server.env["PATH"] ?? ""}:${process.env.PATH ?? ""}` },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function apply(
  ...more: readonly string[]
): Promise<{ readonly code: number; readonly targets: readonly Outcome[]; readonly ms: number }> {
  const started = performance.now();
  const child = startWharf("apply", "--yes", "--json", ...more);
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  const ms = performance.now() - started;
  for (const form of FORMS) expect(out + err).not.toContain(form);
  return { code, targets: JSON.parse(out).targets, ms };
}

const fileIn = (home: string): string => join(home, ".docker/config.json");
const textIn = (home: string): string | undefined =>
  existsSync(fileIn(home)) ? readFileSync(fileIn(home), "utf8") : undefined;
const isNew = (home: string): boolean => textIn(home)?.includes(AUTH) === true;
const say = (what: string, count: number | string): void => void figures.set(what, String(count));

function writeOld(home: string): void {
  mkdirSync(join(home, ".docker"), { mode: 0o700 });
  writeFileSync(fileIn(home), OLD, { mode: 0o600 });
}

/** Processes of hosts: they carry the home that the client named. */
function countRemote(): number {
  return readdirSync("/proc").filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, "utf8").includes(`WHARF_TEST_HOME=${server.folder}`);
    } catch {
      // No process, or it has ended meanwhile.
      return false;
    }
  }).length;
}

/** A host whose disk is full: an old file, and nothing left for a new one. */
function fillDisk(home: string): void {
  writeOld(home);
  try {
    for (let page = 0; ; page++) writeFileSync(join(home, `fill${page}`), Buffer.alloc(4096));
  } catch {
    // Full, as it should be.
  }
}

asRoot(
  `${HOSTS} hosts, and one hung, one full, one with another key and one without sudo: killed in the middle, run again, mended`,
  async () => {
    const sockets = new Set<{ end(): void }>();
    const hung = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: { data() {}, open: (socket) => void sockets.add(socket) },
    });
    const watch = watchProcesses(FORMS);
    try {
      server.addHost("hung", [`Port ${hung.port}`, "ConnectTimeout 5"]);
      server.addHost("full", [`SetEnv WHARF_TEST_HOME=${people.at("full")}`]);
      fillDisk(people.at("full"));
      const keys = people.at("other_known_hosts");
      await mustRun([programPath("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", people.at("other")]);
      writeFileSync(keys, `[127.0.0.1]:${server.port} ${readFileSync(people.at("other.pub"), "utf8")}`);
      const changed = server.addHost("changed", [`UserKnownHostsFile ${keys}`]);
      for (const [index, home] of [...homes.values()].entries()) if (index % 2 === 0) writeOld(home);
      writeFileSync(owner.at("token"), SECRET, { mode: 0o600 });
      const list = `gpu[001-${String(HOSTS).padStart(3, "0")}]`;
      writeFileSync(
        owner.at("wharf.yaml"),
        `version: 1
logins:
  hub: { registry: docker.io, username: acme, password: { file: ${owner.at("token")} } }
deliver:
  - { to: docker, at: "ssh://hung,full,changed,${list}" }
  - { to: docker, at: "ssh://as-carol", sudo: true }
`,
      );

      // Killed, once a quarter have theirs.
      const killed = startWharf("apply", "--yes");
      const delivered = (): number => [...homes.values()].filter(isNew).length;
      await until("a quarter have theirs", () => delivered() >= HOSTS / 4 || undefined, 600_000);
      killed.kill("SIGKILL");
      await killed.exited;
      await until("the hosts' programs have ended", () => countRemote() === 0 || undefined, 120_000);
      const afterKill = { whole: 0, old: 0, absent: 0, half: 0, left: 0 };
      for (const home of homes.values()) {
        const text = textIn(home);
        if (text === undefined) afterKill.absent++;
        else if (text === OLD) afterKill.old++;
        else if (isNew(home) && JSON.parse(text)) afterKill.whole++;
        else afterKill.half++;
        const folder = join(home, ".docker");
        if (existsSync(folder))
          afterKill.left += readdirSync(folder).filter((name) => name !== "config.json").length;
      }
      expect([afterKill.half, afterKill.left]).toEqual([0, 0]);
      expect(afterKill.whole).toBeGreaterThanOrEqual(HOSTS / 4);
      say("the run was killed: hosts with the new file, whole", afterKill.whole);
      say("hosts with the old file, whole", afterKill.old);
      say("hosts without a file, as before", afterKill.absent);
      say("files half-written, temporary files left behind", "0, 0");

      // Again: every host gets its file, and the four that cannot are told.
      const again = await apply();
      expect(again.code).toBe(3);
      const failed = new Map(
        again.targets.flatMap(({ place, error }) => (error === null ? [] : [[place, error] as const])),
      );
      expect([...failed].map(([place, { code }]) => [place, code])).toEqual([
        ["ssh://hung", "UNREACHABLE"],
        ["ssh://full", "STORAGE_FULL"],
        ["ssh://changed", "UNREACHABLE"],
        ["ssh://as-carol?sudo", "PERMISSION_DENIED"],
      ]);
      expect(failed.get("ssh://changed")?.message).toContain("Host key verification failed");
      expect(failed.get("ssh://as-carol?sudo")?.message).toContain("could not act as root");
      for (const [host, home] of homes) {
        expect([host, isNew(home), statSync(fileIn(home)).mode & 0o777]).toEqual([host, true, 0o600]);
        expect(readdirSync(join(home, ".docker"))).toEqual(["config.json"]);
      }
      expect(textIn(people.at("full"))).toBe(OLD);
      expect(readdirSync(people.at("full", ".docker"))).toEqual(["config.json"]);
      expect([existsSync(fileIn(changed)), existsSync(fileIn(people.at("root")))]).toEqual([false, false]);
      say("the next run: hosts delivered to", again.targets.length - failed.size);
      for (const [place, { code, message }] of failed) say(`${place}: ${code}`, lastWords(message));
      say("its wall time", `${(again.ms / 1000).toFixed(1)} s`);

      // Three are mended: only what failed is tried again.
      for (const name of readdirSync(people.at("full")).filter((one) => one.startsWith("fill")))
        rmSync(people.at("full", name));
      writeFileSync(keys, readFileSync(join(server.folder, "known_hosts")));
      writeFileSync(people.at("sudoers"), "root ALL=(ALL) ALL\ncarol ALL=(ALL) NOPASSWD: ALL\n");
      const retried = await apply("--retry-failed");
      expect(retried.targets.map(({ place, error }) => [place, error?.code])).toEqual([
        ["ssh://hung", "UNREACHABLE"],
        ["ssh://full", undefined],
        ["ssh://changed", undefined],
        ["ssh://as-carol?sudo", undefined],
      ]);
      for (const home of [people.at("full"), changed, people.at("root")]) expect(isNew(home)).toBe(true);
      say("three mended, `--retry-failed`: hosts tried, delivered to", "4, 3");

      // And with nothing to do: read, and not written.
      const inodes = (): readonly number[] => [...homes.values()].map((home) => statSync(fileIn(home)).ino);
      const before = inodes();
      const quiet = await apply("--at", `ssh://${list}`);
      expect([quiet.code, quiet.targets.length]).toEqual([0, HOSTS]);
      expect(inodes()).toEqual(before);
      say("nothing to do: hosts read, files written", `${HOSTS}, 0`);
      say("its wall time, over the connections that were kept", `${(quiet.ms / 1000).toFixed(1)} s`);
    } finally {
      const { seen, found } = watch.stop();
      for (const socket of sockets) socket.end();
      hung.stop(true);
      expect(found).toEqual([]);
      expect([...seen].some((line) => line.includes("/bin/sh -c"))).toBe(true);
      say(
        "different command lines seen in /proc meanwhile, with the secret in arguments or environment",
        `${seen.size}, 0`,
      );
    }
    const commands = server.commands();
    for (const form of FORMS) expect(commands.join("\n")).not.toContain(form);
    say("commands that hosts were told to run, with the secret", `${commands.length - 1}, 0`);
    report();
  },
);

/** Without the host, which stands beside it, and the run's own folders. */
function lastWords(message: string): string {
  return message.replace(/^(?:writing \S+ on )?ssh:\/\/\S+: /, "");
}

function report(): void {
  if (!isSlow) return;
  const text = `${[...figures].map(([what, count]) => `| ${what} | ${count} |`).join("\n")}\n`;
  process.stdout.write(text);
  const file = process.env["WHARF_REPORT"];
  if (file !== undefined) writeFileSync(file, text);
}
