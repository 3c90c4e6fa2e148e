/** A real slurmctld and slurmd: a job finds the logins that were delivered, and Slurm itself never knows a secret. */
import { afterAll, afterEach, beforeAll, expect } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findProgram, needs, needsThat } from "./support/programs.ts";
import { runCli } from "./support/run-cli.ts";
import { createScratch, type Scratch } from "./support/scratch.ts";
import { type Slurm, startSlurm } from "./support/slurm.ts";
import { type SshServer, startSshServer } from "./support/ssh-server.ts";
import { until } from "./support/until.ts";

const NEEDED = [
  "slurmctld",
  "slurmd",
  "munged",
  "sbatch",
  "sinfo",
  "scontrol",
  "curl",
  "sshd",
  "ssh",
  "ssh-keygen",
];
const isRoot = process.getuid?.() === 0;
const withSlurm = isRoot ? needs(...NEEDED) : needsThat(false, "needs root");
const LIMIT_MS = 180_000;
const SECRET = `canary-${crypto.randomUUID()}`;
const EXPORTED = `canary-${crypto.randomUUID()}`;

let slurm: Slurm | undefined;
let server: SshServer | undefined;
let scratch: Scratch | undefined;

beforeAll(async () => {
  if (!isRoot || NEEDED.some((name) => findProgram(name) === undefined)) return;
  slurm = await startSlurm(["node1", "node2"]);
  server = await startSshServer();
}, LIMIT_MS);
afterAll(async () => {
  await slurm?.stop();
  await server?.stop();
}, LIMIT_MS);
afterEach(() => scratch?.remove());

function cluster(): Slurm {
  if (slurm === undefined) throw new Error("no Slurm");
  return slurm;
}

async function wharf(folder: Scratch, line: string, env: Readonly<Record<string, string>> = {}) {
  return await runCli(line.split(" "), {
    cwd: folder.path,
    env: { HOME: folder.path, PATH: "/usr/sbin:/usr/bin:/sbin:/bin", TOKEN: SECRET, ...env },
  });
}

/** slurmctld writes its state beside the old one and renames it: what is gone by now is in the other file. */
function readWhatStays(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch (cause) {
    if ((cause as { code?: string }).code !== "ENOENT") throw cause;
    return "";
  }
}

/** Every place in which Slurm, or the machine, could show it: state and spool, logs, jobs, arguments, environments. */
async function seenBySlurm(): Promise<string> {
  const { scratch: own, run } = cluster();
  const files = ["state", "spool", "log"].flatMap((folder) =>
    readdirSync(own.at(folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readWhatStays(join(entry.parentPath, entry.name))),
  );
  const processes = Bun.spawnSync(["sh", "-c", "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null"]);
  return [
    ...files,
    await run(["scontrol", "--details", "show", "job"]),
    processes.stdout.toString("latin1"),
  ].join("\n");
}

withSlurm(
  "a job pulls with the Enroot login and has the Apptainer login; the secret is in no state, environment or process of Slurm's",
  async () => {
    const { run, scratch: own } = cluster();
    const home = createScratch("home");
    scratch = home;
    const asked: { authorization: string | null; seen: string }[] = [];
    const registry = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      async fetch(request) {
        // The job waits for this answer: it is looked at while it runs, with what it was given.
        asked.push({ authorization: request.headers.get("authorization"), seen: await seenBySlurm() });
        return new Response("ok");
      },
    });
    try {
      writeFileSync(
        home.at("wharf.yaml"),
        `version: 1
logins:
  site: { registry: "127.0.0.1:${registry.port}", username: alice, password: { env: TOKEN }, plain-http: true, realm-hosts: [127.0.0.1] }
deliver:
  - { to: enroot, at: local, curl: "7.88" }
  - { to: apptainer, at: local }
`,
      );
      const applied = await wharf(home, "apply --yes");
      expect([applied.code, applied.err.includes(SECRET)]).toEqual([0, false]);
      writeFileSync(
        home.at("job.sh"),
        // As Enroot does it: its netrc, and the host that the registry names for tokens.
        `#!/bin/sh\ncurl -sS --netrc-file "$HOME/.config/enroot/.credentials" http://127.0.0.1:${registry.port}/token\nsha256sum < "$HOME/.apptainer/docker-config.json"\nstat -c %a "$HOME/.config/enroot/.credentials" "$HOME/.apptainer/docker-config.json"\n`,
      );
      // The default, which takes the whole environment of whoever submits: there is nothing in it to take.
      await run(["sbatch", "--wait", "--export=ALL", `--output=${own.at("job.out")}`, home.at("job.sh")], {
        HOME: home.path,
      });
      const login = Buffer.from(`alice:${SECRET}`).toString("base64");
      expect(asked.map(({ authorization }) => authorization)).toEqual([`Basic ${login}`]);
      const config = readFileSync(home.at(".apptainer/docker-config.json"), "utf8");
      expect(config).toContain(login);
      const digest = new Bun.CryptoHasher("sha256").update(config).digest("hex");
      expect(readFileSync(own.at("job.out"), "utf8")).toBe(`ok${digest}  -\n600\n600\n`);
      const seen = `${asked[0]?.seen}\n${await seenBySlurm()}`;
      expect(seen).toContain("job.sh");
      for (const form of [SECRET, login, Buffer.from(SECRET).toString("base64")])
        expect(seen.includes(form)).toBe(false);
    } finally {
      await registry.stop(true);
    }
  },
  LIMIT_MS,
);

withSlurm(
  "what the document had people do, a password in the environment, lies in Slurm's state: the search above would find it",
  async () => {
    const { run, scratch: own } = cluster();
    await run(["sbatch", "--hold", "--export=ALL", `--output=${own.at("held.out")}`, "--wrap=true"], {
      SINGULARITY_DOCKER_PASSWORD: EXPORTED,
    });
    await until(
      "the job is in the state",
      async () => ((await seenBySlurm()).includes(EXPORTED) ? true : undefined),
      60_000,
    );
    await run(["scancel", "--state=PENDING", "--user=root"]);
  },
  LIMIT_MS,
);

withSlurm(
  "ssh://@slurm:PARTITION: its nodes, those that are down too; a controller that is gone takes nothing away",
  async () => {
    const { env, scratch: own } = cluster();
    if (server === undefined) throw new Error("no sshd");
    const folder = createScratch("nodes");
    scratch = folder;
    const homes = ["node1", "node2"].map((name) => server?.addHost(name) ?? "");
    const more = { ...server.env, SLURM_CONF: env["SLURM_CONF"] ?? "" };
    writeFileSync(
      folder.at("wharf.yaml"),
      'version: 1\nlogins:\n  hub: { registry: docker.io, username: acme, password: { env: TOKEN } }\ndeliver:\n  - { to: docker, at: "ssh://@slurm:batch" }\n',
    );
    const applied = await wharf(folder, "apply --yes --json", more);
    expect([applied.code, applied.err]).toEqual([0, ""]);
    expect(JSON.parse(applied.out).targets.map(({ place }: { place: string }) => place)).toEqual([
      "ssh://node1",
      "ssh://node2",
    ]);
    mkdirSync(folder.at("lost"));
    writeFileSync(
      folder.at("lost", "slurm.conf"),
      readFileSync(own.at("slurm.conf"), "utf8").replace(
        /^SlurmctldPort=.*$/m,
        "SlurmctldPort=1\nMessageTimeout=2",
      ),
    );
    const lost = await wharf(folder, "apply --yes --json", {
      ...more,
      SLURM_CONF: folder.at("lost", "slurm.conf"),
    });
    expect(lost.code).toBe(3);
    expect(JSON.parse(lost.out).targets).toMatchObject([
      { place: "ssh://@slurm:batch", error: { code: "PROGRAM_FAILED" } },
    ]);
    for (const home of homes)
      expect(readFileSync(join(home, ".docker/config.json"), "utf8")).toContain("auths");
    writeFileSync(
      folder.at("wharf.yaml"),
      readFileSync(folder.at("wharf.yaml"), "utf8").replace(":batch", ":nothing"),
    );
    const none = JSON.parse((await wharf(folder, "plan --json", more)).out);
    expect(none.targets).toMatchObject([{ error: { code: "NOT_FOUND" } }]);
  },
  LIMIT_MS,
);
