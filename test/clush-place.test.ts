/** Delivery by the site's own ClusterShell against a real sshd: straight, and through its tree of gateways. */
import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout } from "bun:test";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { findProgram, needs, needsThat, programPath } from "./support/programs.ts";
import { runCli } from "./support/run-cli.ts";
import { createScratch, type Scratch } from "./support/scratch.ts";
import { type SshServer, startSshServer } from "./support/ssh-server.ts";

// A busy machine takes its time over each connection.
setDefaultTimeout(300_000);

const NEEDED = ["clush", "nodeset", "sshd", "ssh", "ssh-keygen"];
const withClush = needs(...NEEDED);
const canMount =
  process.getuid?.() === 0 &&
  [...NEEDED, "unshare", "mount"].every((name) => findProgram(name) !== undefined);
const asRoot = needsThat(canMount, `needs root, ${NEEDED.join(", ")}, unshare, mount`);
const SECRET = `canary-${crypto.randomUUID()}`;
const FOREIGN = `canary-${crypto.randomUUID()}`;
const auth = Buffer.from(`acme:${SECRET}`).toString("base64");

let server: SshServer;
let scratch: Scratch;
let homes: ReadonlyMap<string, string>;

beforeAll(async () => {
  if (NEEDED.some((name) => findProgram(name) === undefined)) return;
  server = await startSshServer();
  homes = new Map(["n1", "n2", "n3", "dead"].map((name) => [name, server.addHost(name)]));
});
afterAll(async () => {
  await server?.stop();
});
afterEach(() => scratch?.remove());

const fileOf = (node: string): string => join(homes.get(node) ?? "", ".docker/config.json");

/** A site: its ClusterShell's configuration, and a wharf.yaml. */
function setUp(at: string, files: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  scratch = createScratch("clush");
  mkdirSync(scratch.at("site"));
  writeFileSync(
    scratch.at("site/groups.conf"),
    `[Main]\ndefault: local\n[local]\nmap: [ "$GROUP" = gpu ] && echo n[1-3]\nall: echo n[1-3]\nlist: echo gpu\n`,
  );
  for (const [name, text] of Object.entries(files)) writeFileSync(scratch.at("site", name), text);
  writeFileSync(
    scratch.at("wharf.yaml"),
    `version: 1\nlogins:\n  hub: { registry: docker.io, username: acme, password: { env: HUB_TOKEN } }\ndeliver:\n  - { to: docker, at: "${at}" }\n`,
  );
  return {
    ...server.env,
    HOME: scratch.path,
    HUB_TOKEN: SECRET,
    CLUSTERSHELL_CFGDIR: scratch.at("site"),
  };
}

async function wharf(line: string, env: Readonly<Record<string, string>>) {
  return await runCli(line.split(" "), { cwd: scratch.path, env });
}

withClush(
  "a group: delivered, foreign entries kept at each node, found in order, and taken back",
  async () => {
    const env = setUp("clush://@gpu");
    mkdirSync(join(homes.get("n2") ?? "", ".docker"), { mode: 0o700 });
    const foreign = Buffer.from(`them:${FOREIGN}`).toString("base64");
    writeFileSync(fileOf("n2"), JSON.stringify({ auths: { "other.example": { auth: foreign } } }), {
      mode: 0o600,
    });
    const applied = await wharf("apply --yes --json", env);
    expect([applied.code, applied.err]).toEqual([0, ""]);
    expect(JSON.parse(applied.out).targets.map(({ place }: { place: string }) => place)).toEqual([
      "clush://n1",
      "clush://n2",
      "clush://n3",
    ]);
    for (const node of ["n1", "n2", "n3"]) {
      expect(readFileSync(fileOf(node), "utf8")).toContain(auth);
      expect(statSync(fileOf(node)).mode & 0o777).toBe(0o600);
      // What one node has of others' goes to no other.
      expect(readFileSync(fileOf(node), "utf8").includes(foreign)).toBe(node === "n2");
    }
    const again = await wharf("apply --yes", env);
    expect([again.code, again.err]).toEqual([0, "nothing to do: every target has what it should\n"]);
    writeFileSync(fileOf("n3"), "{}");
    const drifted = JSON.parse((await wharf("plan --json --at clush://n3", env)).out).targets;
    expect(drifted).toMatchObject([
      { place: "clush://n3", files: [{ changes: [{ cause: "changed there" }] }] },
    ]);
    for (const command of server.commands())
      for (const secret of [SECRET, auth, FOREIGN, foreign]) expect(command.includes(secret)).toBe(false);
    writeFileSync(
      scratch.at("wharf.yaml"),
      readFileSync(scratch.at("wharf.yaml"), "utf8").replace(/deliver:[^]*/, "deliver: []\n"),
    );
    expect((await wharf("apply --yes", env)).code).toBe(0);
    expect(existsSync(fileOf("n1"))).toBe(false);
    expect(readFileSync(fileOf("n2"), "utf8")).toContain(foreign);
  },
);

asRoot(
  "through a tree: one run for all nodes, each by its gateway, and the secret in no command",
  async () => {
    // Nodes of a fleet have the same paths: each of these has a file system of its own at the one home.
    const nodes = createScratch("nodes");
    mkdirSync(nodes.at("home"));
    const others: SshServer[] = [];
    try {
      for (const name of ["t1", "t2"]) {
        mkdirSync(nodes.at(name));
        const bind = `${programPath("mount")} --bind ${nodes.at(name)} ${nodes.at("home")} && exec "$@"`;
        const node = await startSshServer({
          prefix: [programPath("unshare"), "--mount", "sh", "-c", bind, "sh"],
        });
        others.push(node);
        server.addHost(name, [
          `SetEnv WHARF_TEST_HOME=${nodes.at("home")}`,
          `Port ${node.port}`,
          `UserKnownHostsFile ${join(node.folder, "known_hosts")}`,
          `IdentityFile ${join(node.folder, "user")}`,
        ]);
      }
      const gateway = join(server.folder, "homes", "gateway");
      const bin = join(server.folder, "bin");
      server.addHost("gateway", [`SetEnv WHARF_TEST_PATH=${bin} WHARF_TEST_HOME=${gateway}`]);
      const env = setUp("clush://t[1-2]", {
        "topology.conf": `[routes]\n${hostname().split(".")[0]}: gateway\ngateway: t[1-2]\n`,
      });
      const asked = (of: SshServer): readonly string[] => of.commands().filter((command) => command !== "");
      const before = asked(server).length;
      const applied = await wharf("apply --yes --json", env);
      expect([applied.code, applied.err]).toEqual([0, ""]);
      for (const name of ["t1", "t2"])
        expect(readFileSync(nodes.at(name, ".docker/config.json"), "utf8")).toContain(auth);
      const runs = asked(server).slice(before);
      // The gateway is started once for each run; nodes that are asked the same at once share one.
      expect(runs.length).toBeGreaterThan(0);
      for (const command of runs) expect(command).toContain("ClusterShell.Gateway");
      expect(runs.length).toBeLessThan(others.flatMap(asked).length);
      for (const command of [...runs, ...others.flatMap(asked)])
        expect(command.includes(SECRET) || command.includes(auth)).toBe(false);
      const again = await wharf("apply --yes", env);
      expect([again.code, again.err]).toEqual([0, "nothing to do: every target has what it should\n"]);
    } finally {
      for (const node of others) await node.stop();
      nodes.remove();
    }
  },
);

withClush(
  "a node that does not answer, or whose key is another, has its own error, and the others are served",
  async () => {
    writeFileSync(join(server.folder, "other_hosts"), "");
    server.addHost("closed", ["Port 1"]);
    // The site says no to checks; wharf's own option stands before it.
    server.addHost("stranger", [`UserKnownHostsFile ${join(server.folder, "other_hosts")}`]);
    const env = setUp("clush://n1,closed,stranger", {
      "clush.conf": "[Main]\nssh_options: -oStrictHostKeyChecking=no\nconnect_timeout: 20\n",
    });
    const applied = await wharf("apply --yes --json", env);
    expect(applied.code).toBe(3);
    const targets = JSON.parse(applied.out).targets as { place: string; error: unknown }[];
    expect(targets.find(({ place }) => place === "clush://n1")?.error).toBeNull();
    expect(readFileSync(fileOf("n1"), "utf8")).toContain(auth);
    for (const [place, words] of [
      ["clush://closed", "refused"],
      ["clush://stranger", "Host key verification failed"],
    ] as const)
      expect(targets.find((target) => target.place === place)?.error).toMatchObject({
        code: "UNREACHABLE",
        message: expect.stringContaining(words),
        hint: expect.stringContaining("clush -w"),
      });
    const again = await wharf("apply --yes --json --retry-failed", env);
    expect(JSON.parse(again.out).targets.map(({ place }: { place: string }) => place)).toEqual([
      "clush://closed",
      "clush://stranger",
    ]);
  },
);

withClush(
  "a group that is not known, and rsh as the site's way, are refused in words; nothing is cleaned meanwhile",
  async () => {
    const env = setUp("clush://@nothing");
    const [target] = JSON.parse((await wharf("plan --json", env)).out).targets;
    expect(target).toMatchObject({ place: "clush://@nothing", error: { code: "PROGRAM_FAILED" } });
    scratch.remove();
    const open = setUp("clush://n1", { "defaults.conf": "[task.default]\ndistant_workername: rsh\n" });
    const [refused] = JSON.parse((await wharf("plan --json", open)).out).targets;
    expect(refused.error).toMatchObject({ code: "UNSUPPORTED", message: expect.stringContaining("by rsh") });
  },
);
