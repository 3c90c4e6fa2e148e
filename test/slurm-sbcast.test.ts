/** What Slurm's sbcast is good for, and what it is not (docs/decisions/018): a real slurmctld and slurmd, and all that goes to slurmd. */
import { afterAll, afterEach, beforeAll, expect } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { join } from "node:path";
import { findProgram, needs, needsThat, repository } from "./support/programs.ts";
import { createScratch, type Scratch } from "./support/scratch.ts";
import { type Slurm, startSlurm } from "./support/slurm.ts";

const NEEDED = ["slurmctld", "slurmd", "munged", "sbatch", "sbcast", "srun", "sinfo"];
const isRoot = process.getuid?.() === 0;
const withSlurm = isRoot ? needs(...NEEDED) : needsThat(false, "needs root");
const LIMIT_MS = 300_000;
const SECRET = `canary-${crypto.randomUUID()}`;

let slurm: Slurm | undefined;
let relay: Relay | undefined;
let scratch: Scratch | undefined;

beforeAll(async () => {
  if (!isRoot || NEEDED.some((name) => findProgram(name) === undefined)) return;
  slurm = await startSlurm(["node1"], (port) => {
    relay = startRelay(port);
    return relay.port;
  });
}, LIMIT_MS);
afterAll(async () => {
  await slurm?.stop();
  relay?.stop();
}, LIMIT_MS);
afterEach(() => scratch?.remove());

interface Relay {
  readonly port: number;
  /** All that came for slurmd so far. */
  seen(): Buffer;
  forget(): void;
  stop(): void;
}

/** Stands on the wire before a slurmd, and keeps what goes to it. */
function startRelay(to: number): Relay {
  let chunks: Buffer[] = [];
  const server = createServer((client) => {
    const behind = connect(to, "127.0.0.1");
    client.on("data", (bytes) => chunks.push(Buffer.from(bytes)));
    client.pipe(behind).pipe(client);
    for (const [one, other] of [
      [client, behind],
      [behind, client],
    ] as const)
      one.on("error", () => other.destroy());
  });
  server.listen(0, "127.0.0.1");
  return {
    port: (server.address() as AddressInfo).port,
    seen: () => Buffer.concat(chunks),
    forget: () => {
      chunks = [];
    },
    stop: () => void server.close(),
  };
}

/** slurmd gives a job its own configuration, which here does not know of the relay. */
async function submit(lines: readonly string[], home: Scratch): Promise<string> {
  const config = `export SLURM_CONF=${slurm?.env["SLURM_CONF"]}`;
  writeFileSync(home.at("job.sh"), ["#!/bin/sh", "set -e", config, ...lines, ""].join("\n"));
  const out = home.at("job.out");
  await slurm?.run(["sbatch", "--wait", "--nodes=1", `--output=${out}`, home.at("job.sh")], {
    HOME: home.path,
  });
  return readFileSync(out, "utf8");
}

withSlurm(
  "a file goes to the nodes in clear: whoever sees the cluster's network has the login that is in it",
  async () => {
    scratch = createScratch("sbcast");
    writeFileSync(scratch.at("login"), `machine r.example login acme password ${SECRET}\n`, { mode: 0o600 });
    relay?.forget();
    await submit([`sbcast ${scratch.at("login")} ${scratch.at("there")}`], scratch);
    expect(readFileSync(scratch.at("there"), "utf8")).toContain(SECRET);
    expect(relay?.seen().includes(SECRET)).toBe(true);
  },
  LIMIT_MS,
);

withSlurm(
  "so the executable goes by it, and the login does not: the helper on the node takes it from the home's vault",
  async () => {
    scratch = createScratch("sbcast");
    const home = scratch;
    const built = Bun.spawnSync([process.execPath, "scripts/build.ts", "--outfile", home.at("bin/wharf")], {
      cwd: repository,
      stderr: "pipe",
    });
    if (built.exitCode !== 0) throw new Error(built.stderr.toString());
    mkdirSync(home.at(".config/wharf"), { recursive: true });
    writeFileSync(home.at("token"), SECRET, { mode: 0o600 });
    writeFileSync(
      home.at(".config/wharf/wharf.yaml"),
      "version: 1\nlogins:\n  lab: { registry: r.example, username: acme, password: { file: ~/token } }\n",
    );
    relay?.forget();
    // The page's own script; what pulls is asked what it is asked, and there is one node.
    const page = readFileSync(join(repository, "docs/places/slurm.md"), "utf8");
    const script = /```sh\n([^]*?)```/.exec(page)?.[1] ?? "";
    const ask = `sh -c 'cat "$DOCKER_CONFIG/config.json" > ${home.at("config")}; echo r.example | docker-credential-wharf get > ${home.at("answer")}'`;
    const lines = script
      .replaceAll("nvcr.io", "r.example")
      .replace("--nodes=8", "--nodes=1")
      .replace(/crane pull .*/, ask)
      .split("\n");
    expect(lines.join("\n")).toContain(ask);
    await submit(lines, home);
    expect(JSON.parse(readFileSync(home.at("config"), "utf8"))).toEqual({
      credHelpers: { "r.example": "wharf" },
    });
    expect(JSON.parse(readFileSync(home.at("answer"), "utf8"))).toMatchObject({
      Username: "acme",
      Secret: SECRET,
    });
    const seen = relay?.seen() ?? Buffer.alloc(0);
    expect(seen.length).toBeGreaterThan(50_000_000);
    expect(seen.includes(SECRET)).toBe(false);
  },
  LIMIT_MS,
);
