/** Delivery over SSH against a real sshd on loopback: many hosts, and everything that goes wrong with some of them. */
import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findProgram, needs, needsThat, programPath } from "./support/programs.ts";
import { type CliOptions, runCli, runWharf } from "./support/run-cli.ts";
import { createScratch, type Scratch } from "./support/scratch.ts";
import { type SshServer, startSshServer } from "./support/ssh-server.ts";
import { until } from "./support/until.ts";

// A busy machine takes its time over each connection.
setDefaultTimeout(process.env.SLOW === "1" ? 1_800_000 : 180_000);

const HOSTS = process.env.SLOW === "1" ? 200 : 20;
const SECRET = `canary-${crypto.randomUUID()}`;
const withSsh = needs("sshd", "ssh", "ssh-keygen");
const isRoot = process.getuid?.() === 0;

let server: SshServer;
let scratch: Scratch;
let homes: Map<string, string>;

beforeAll(async () => {
  if (findProgram("sshd") === undefined || findProgram("ssh") === undefined) return;
  server = await startSshServer({ more: ["MaxStartups 100:30:300"] });
  homes = new Map();
  for (let index = 1; index <= HOSTS; index++) {
    const name = `gpu${String(index).padStart(3, "0")}`;
    homes.set(name, server.addHost(name));
  }
});

afterAll(async () => {
  await server?.stop();
});

afterEach(() => {
  scratch?.remove();
});

function deliver(...lines: readonly string[]): void {
  scratch = createScratch("ssh");
  writeFileSync(
    scratch.at("wharf.yaml"),
    `version: 1\nlogins:\n  hub: { registry: docker.io, username: acme, password: { env: HUB_TOKEN } }\ndeliver:\n${lines.map((line) => `  - ${line}\n`).join("")}`,
  );
}

function options(): CliOptions {
  return { cwd: scratch.path, env: { ...server.env, HOME: scratch.path, HUB_TOKEN: SECRET } };
}

const wharf = (line: string) => runCli(line.split(" "), options());
const fileOf = (host: string): string => join(homes.get(host) ?? server.addHost(host), ".docker/config.json");
const auth = Buffer.from(`acme:${SECRET}`).toString("base64");

withSsh(
  `${HOSTS} hosts: delivered at once, found as they should be, seen when changed, and taken back`,
  async () => {
    const list = `ssh://gpu[001-${String(HOSTS).padStart(3, "0")}]`;
    deliver(`{ to: docker, at: "${list}" }`);
    const applied = await wharf("apply --yes --json");
    expect([applied.code, applied.err]).toEqual([0, ""]);
    expect(JSON.parse(applied.out).targets).toHaveLength(HOSTS);
    for (const host of homes.keys()) {
      expect(readFileSync(fileOf(host), "utf8")).toContain(auth);
      expect(statSync(fileOf(host)).mode & 0o777).toBe(0o600);
      expect(readdirSync(join(fileOf(host), ".."))).toEqual(["config.json"]);
    }
    const again = await wharf("apply --yes");
    expect([again.code, again.err]).toEqual([0, "nothing to do: every target has what it should\n"]);
    writeFileSync(fileOf("gpu002"), "{}");
    const drifted = JSON.parse((await wharf("plan --json")).out).targets.filter(
      (target: { files: { action: string }[] }) => target.files.some(({ action }) => action !== "none"),
    );
    expect(drifted).toMatchObject([
      { place: "ssh://gpu002", files: [{ changes: [{ cause: "changed there" }] }] },
    ]);
    expect((await wharf("apply --yes")).code).toBe(0);
    // What left wharf.yaml is taken away, though the list that it stood in is gone.
    writeFileSync(
      scratch.at("wharf.yaml"),
      readFileSync(scratch.at("wharf.yaml"), "utf8").replace(list, "ssh://gpu001"),
    );
    expect((await wharf("apply --yes")).code).toBe(0);
    for (const host of homes.keys())
      expect([host, existsSync(fileOf(host))]).toEqual([host, host === "gpu001"]);
    expect((await wharf("revoke hub --keep")).code).toBe(0);
    expect(existsSync(fileOf("gpu001"))).toBe(false);
    // The secret came on standard input: no command says it, in any form.
    const commands = server.commands().join("\n");
    expect(commands).toContain("/bin/sh -c");
    for (const form of [SECRET, auth, Buffer.from(SECRET).toString("base64")]) {
      expect(commands).not.toContain(form);
      expect(applied.out + again.out).not.toContain(form);
    }
  },
);

withSsh(
  "a host that says nothing, one that is down, one that is unknown and one whose key changed cost the others nothing",
  async () => {
    const hung = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    try {
      server.addHost("hung", [`Port ${hung.port}`, "ConnectTimeout 2"]);
      server.addHost("down", ["Port 1"]);
      const other = join(server.folder, "other_known_hosts");
      Bun.spawnSync([programPath("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", `${other}.key`]);
      writeFileSync(other, `[127.0.0.1]:${server.port} ${readFileSync(`${other}.key.pub`, "utf8")}`);
      // Even where somebody's configuration says that keys are not to be checked.
      server.addHost("changed", [`UserKnownHostsFile ${other}`, "StrictHostKeyChecking no"]);
      server.addHost("unknown", ["UserKnownHostsFile /dev/null", "StrictHostKeyChecking no"]);
      deliver('{ to: docker, at: "ssh://hung,down,changed,unknown,gpu[001-010]" }');
      const applied = await wharf("apply --yes --json");
      expect(applied.code).toBe(3);
      const outcomes: readonly { place: string; error: { code: string; message: string } | null }[] =
        JSON.parse(applied.out).targets;
      expect(outcomes.filter(({ error }) => error === null).map(({ place }) => place)).toEqual(
        Array.from({ length: 10 }, (_, index) => `ssh://gpu${String(index + 1).padStart(3, "0")}`),
      );
      for (const host of ["hung", "down", "changed", "unknown"])
        expect(outcomes).toContainEqual(
          expect.objectContaining({
            place: `ssh://${host}`,
            error: expect.objectContaining({ code: "UNREACHABLE" }),
          }),
        );
      expect(outcomes.find(({ place }) => place === "ssh://changed")?.error?.message).toContain(
        "Host key verification failed",
      );
      // Mended: the one host is delivered to, and the others that failed are tried again.
      writeFileSync(other, readFileSync(join(server.folder, "known_hosts")));
      const retried = JSON.parse((await wharf("apply --yes --json --retry-failed")).out).targets;
      expect(retried.map(({ place, error }: (typeof outcomes)[number]) => [place, error === null])).toEqual([
        ["ssh://hung", false],
        ["ssh://down", false],
        ["ssh://changed", true],
        ["ssh://unknown", false],
      ]);
    } finally {
      hung.stop(true);
    }
  },
);

withSsh(
  "a host that hangs holds up no other: they have their files while it is still waited for",
  async () => {
    const sockets = new Set<{ end(): void }>();
    let isOver = false;
    const hung = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        data() {},
        open: (socket) => {
          if (isOver) socket.end();
          else sockets.add(socket);
        },
      },
    });
    try {
      server.addHost("hangs", [`Port ${hung.port}`, "ConnectTimeout 300"]);
      deliver(
        '{ to: docker, at: "ssh://hangs,gpu[014-018]" }',
        '{ to: podman, at: "ssh://hangs,gpu[014-018]" }',
      );
      let hasEnded = false;
      const applied = wharf("apply --yes --json").finally(() => {
        hasEnded = true;
      });
      const hosts = [14, 15, 16, 17, 18].map((index) => `gpu0${index}`);
      const isThere = (host: string): boolean =>
        readFileIfAny(fileOf(host))?.includes(auth) === true &&
        existsSync(join(homes.get(host) ?? "", ".config/containers/auth.json"));
      await until("the others have theirs", () => hosts.every(isThere) || hasEnded || undefined, 120_000);
      expect([hasEnded, sockets.size > 0]).toEqual([false, true]);
      isOver = true;
      for (const socket of sockets) socket.end();
      const { code, out } = await applied;
      const outcomes: readonly { place: string; consumer: string; error: { code: string } | null }[] =
        JSON.parse(out).targets;
      // In the order of wharf.yaml, whoever was first.
      expect([code, outcomes.map(({ consumer, place }) => `${consumer} ${place}`)]).toEqual([
        3,
        ["docker", "podman"].flatMap((program) =>
          ["hangs", ...hosts].map((host) => `${program} ssh://${host}`),
        ),
      ]);
      expect(outcomes.filter(({ error }) => error !== null).map(({ place }) => place)).toEqual([
        "ssh://hangs",
        "ssh://hangs",
      ]);
    } finally {
      for (const socket of sockets) socket.end();
      hung.stop(true);
    }
  },
);

needsThat(
  isRoot && findProgram("sshd") !== undefined && findProgram("mount") !== undefined,
  "needs root, sshd, mount",
)("a full disk on a host is told, and the old file stays whole", async () => {
  const home = server.addHost("full");
  const done = Bun.spawnSync([programPath("mount"), "-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs", home]);
  expect(done.exitCode).toBe(0);
  try {
    mkdirSync(join(home, ".docker"), { mode: 0o700 });
    const old = '{ "HttpHeaders": { "a": "b" } }\n';
    writeFileSync(join(home, ".docker/config.json"), old, { mode: 0o600 });
    try {
      for (let page = 0; ; page++) writeFileSync(join(home, `fill${page}`), Buffer.alloc(4096));
    } catch {
      // Full, as it should be.
    }
    deliver('{ to: docker, at: "ssh://full,gpu001" }');
    const applied = JSON.parse((await wharf("apply --yes --json")).out).targets;
    expect(applied).toMatchObject([
      { place: "ssh://full", written: [], error: { code: "STORAGE_FULL" } },
      { place: "ssh://gpu001", error: null },
    ]);
    expect(readFileSync(join(home, ".docker/config.json"), "utf8")).toBe(old);
    expect(readdirSync(join(home, ".docker"))).toEqual(["config.json"]);
  } finally {
    Bun.spawnSync([programPath("umount"), home]);
  }
});

withSsh("a run that is killed in the middle leaves whole files, and the next one finishes", async () => {
  deliver('{ to: docker, at: "ssh://gpu[001-010]" }');
  const hosts = [...homes.keys()].slice(0, 10);
  const haveIt = (): number => hosts.filter((host) => readFileIfAny(fileOf(host))?.includes(auth)).length;
  const root = join(import.meta.dir, "..");
  for (const after of [1, 3, 6]) {
    for (const host of hosts) writeOld(host);
    const child = Bun.spawn([join(root, "bin/wharf"), "apply", "--yes"], {
      cwd: scratch.path,
      env: { ...options().env, PATH: `${server.env["PATH"] ?? ""}:${process.env.PATH ?? ""}` },
      stdout: "ignore",
      stderr: "ignore",
    });
    let hasEnded = false;
    void child.exited.then(() => {
      hasEnded = true;
    });
    await until(`${after} hosts have theirs`, () => haveIt() >= after || hasEnded || undefined, 120_000);
    child.kill("SIGKILL");
    await child.exited;
    for (const host of hosts) {
      const text = readFileSync(fileOf(host), "utf8");
      expect(() => JSON.parse(text)).not.toThrow();
    }
  }
  expect((await runWharf(["apply", "--yes"], options())).code).toBe(0);
  expect(haveIt()).toBe(10);
});

withSsh(
  "--at holds plan, apply, check, why and revoke to some hosts; the others are left as they are",
  async () => {
    deliver('{ to: docker, at: "ssh://gpu[011-013]" }');
    expect((await wharf("apply --yes --at ssh://gpu[011-012]")).code).toBe(0);
    const placed = ["gpu011", "gpu012", "gpu013"].map(
      (host) => readFileIfAny(fileOf(host))?.includes(auth) ?? false,
    );
    expect(placed).toEqual([true, true, false]);
    const planned = JSON.parse((await wharf("plan --json --at ssh://gpu013")).out).targets;
    expect(planned).toMatchObject([{ place: "ssh://gpu013", files: [{ action: "create" }] }]);
    expect((await wharf("check --offline --at ssh://gpu011")).code).toBe(0);
    expect((await wharf("check --offline")).code).toBe(3);
    const why = JSON.parse((await wharf("why alpine --offline --json --at ssh://gpu011")).out).answers;
    expect(why).toContainEqual(
      expect.objectContaining({
        consumer: "docker",
        place: "ssh://gpu011",
        login: "hub",
        file: fileOf("gpu011"),
      }),
    );
    // Without --at no host is asked.
    const before = server.commands().length;
    await wharf("why alpine --offline --json");
    expect(server.commands().length).toBe(before);
    expect((await wharf("revoke hub --at ssh://gpu011")).code).toBe(0);
    expect([existsSync(fileOf("gpu011")), existsSync(fileOf("gpu012"))]).toEqual([false, true]);
    expect(readFileSync(scratch.at("wharf.yaml"), "utf8")).toContain("hub:");
    const nowhere = await wharf("plan --at ssh://gpu014");
    expect([nowhere.code, nowhere.err]).toEqual([2, expect.stringContaining("nothing is delivered at")]);
  },
);

function readFileIfAny(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}

function writeOld(host: string): void {
  mkdirSync(join(fileOf(host), ".."), { recursive: true, mode: 0o700 });
  writeFileSync(fileOf(host), '{ "auths": {} }\n', { mode: 0o600 });
}
