/** The importer and the prolog under a real slurmctld and two slurmd: one conversion for all nodes of a job. Pyxis itself cannot be had. */
import { afterAll, beforeAll, expect } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createRegistryClient } from "#client";
import { Secret } from "#core";
import { createFetch } from "#system";
import { findProgram, needs, needsThat, repository } from "./support/programs.ts";
import { pushImage } from "./support/push-image.ts";
import { createScratch, type Scratch } from "./support/scratch.ts";
import { type Slurm, startSlurm } from "./support/slurm.ts";
import { renderTarItems } from "./support/tar-writer.ts";
import { startTestServer, type TestLogin, type TestServer } from "./support/test-server.ts";
import { until } from "./support/until.ts";

const NEEDED = ["slurmctld", "slurmd", "munged", "sbatch", "srun", "sinfo", "runuser"];
const isRoot = process.getuid?.() === 0;
const withSlurm = isRoot ? needs(...NEEDED) : needsThat(false, "needs root");
const LIMIT_MS = 300_000;

let slurm: Slurm | undefined;
let server: TestServer | undefined;
let scratch: Scratch | undefined;
let robot: TestLogin;
let images = 0;

beforeAll(async () => {
  if (!isRoot || NEEDED.some((name) => findProgram(name) === undefined)) return;
  scratch = createScratch("importer");
  const home = scratch.at("home");
  mkdirSync(home, { mode: 0o700 });
  // What plugstack.conf would name. The home is the test's, not that of whoever runs it.
  const importer = `#!/bin/sh\nHOME='${home}' exec '${join(repository, "bin/wharf")}' pyxis-importer --cache '${scratch.at("cache")}' "$@"\n`;
  writeFileSync(scratch.at("importer"), importer, { mode: 0o755 });
  const prolog = readFileSync(join(repository, "docs/programs/pyxis-prolog.sh"), "utf8");
  const own = prolog.replace(/^importer=.*$/m, `importer='${scratch.at("importer")}'`);
  expect(own).not.toBe(prolog);
  writeFileSync(scratch.at("prolog"), own, { mode: 0o755 });
  server = await startTestServer();
  await server.createProject("team");
  robot = await server.createRobot("team", "ci", ["pull", "push"]);
  mkdirSync(join(home, ".config/enroot"), { recursive: true });
  const [host] = server.address.split(":");
  const line = `machine ${host} login ${robot.username} password ${robot.secret}\n`;
  writeFileSync(join(home, ".config/enroot/.credentials"), line, { mode: 0o600 });
  slurm = await startSlurm(["node1", "node2"], undefined, {
    up: 2,
    lines: [`Prolog=${scratch.at("prolog")}`, `Epilog=${scratch.at("prolog")}`, "PrologFlags=Alloc"],
  });
}, LIMIT_MS);
afterAll(async () => {
  await slurm?.stop();
  await server?.stop();
  scratch?.remove();
}, LIMIT_MS);

function all(): { readonly cluster: Slurm; readonly registry: TestServer; readonly own: Scratch } {
  if (slurm === undefined || server === undefined || scratch === undefined) throw new Error("no Slurm");
  return { cluster: slurm, registry: server, own: scratch };
}

async function push(): Promise<string> {
  const { registry } = all();
  const client = createRegistryClient({
    registry: registry.address,
    fetch: createFetch({ environment: {}, userAgent: "wharf/test" }),
    credentials: { username: robot.username, secret: new Secret(robot.secret) },
  });
  const tag = `v${images++}`;
  const layer = renderTarItems([{ path: "big", content: crypto.getRandomValues(new Uint8Array(65_536)) }]);
  await pushImage(client, "team/app", { tag, layers: [layer] });
  return `docker://${registry.address}#team/app:${tag}`;
}

/** What the registry was asked while `work` ran, how often. */
async function countRequests(work: () => Promise<unknown>): Promise<Readonly<Record<string, number>>> {
  const { registry } = all();
  const before = registry.logLines.length;
  await work();
  const counts: Record<string, number> = {};
  for (const line of registry.logLines.slice(before)) {
    const { method, path = "" } = JSON.parse(line) as { method?: string; path?: string };
    const [, kind] = /^\/v2\/team\/app\/(manifests|blobs)\//.exec(path) ?? [];
    if (kind !== undefined) counts[`${method} ${kind}`] = (counts[`${method} ${kind}`] ?? 0) + 1;
  }
  return counts;
}

/** A job whose step on each node calls the importer as Pyxis does; gives what the steps printed, sorted. */
async function runJob(name: string, image: string, options: readonly string[]): Promise<readonly string[]> {
  const { cluster, own } = all();
  // `release` comes once the container is made, and once more when the task ends.
  const step = `out=$('${own.at("importer")}' get '${image}' --json) || exit 1
echo "$out" > '${own.at(name)}.'$SLURMD_NODENAME
'${own.at("importer")}' release && '${own.at("importer")}' release`;
  writeFileSync(own.at(`${name}-step`), `#!/bin/sh\n${step}\n`, { mode: 0o755 });
  writeFileSync(
    own.at(`${name}-job`),
    `#!/bin/sh\nPYXIS_RUNTIME_PATH=/run/pyxis srun --nodes=2 --ntasks-per-node=1 '${own.at(`${name}-step`)}'\n`,
  );
  const output = own.at(`${name}-out`);
  await cluster
    .run(["sbatch", "--wait", "--nodes=2", `--output=${output}`, ...options, own.at(`${name}-job`)])
    .catch((cause: unknown) => {
      throw new Error(`the job failed: ${readFileSync(output, "utf8")}`, { cause });
    });
  return ["node1", "node2"]
    .map((node) => (JSON.parse(readFileSync(`${own.at(name)}.${node}`, "utf8")) as { how: string }).how)
    .sort();
}

const uses = (): readonly string[] => readdirSync(all().own.at("cache/uses"));

withSlurm(
  "the steps of two nodes call it at once, with the user's Enroot login: one makes the image, and nothing is left in use",
  async () => {
    const image = await push();
    let steps: readonly string[] = [];
    const counts = await countRequests(async () => {
      steps = await runJob("step", image, []);
    });
    expect(steps).toEqual(["link", "made"]);
    expect(counts).toEqual({ "HEAD manifests": 2, "GET manifests": 1, "GET blobs": 2 });
    expect(uses()).toEqual([]);
  },
  LIMIT_MS,
);

withSlurm(
  "an image in the job's comment is there before the first step: the prologs bring it once, the epilogs let it go",
  async () => {
    const image = await push();
    let steps: readonly string[] = [];
    const counts = await countRequests(async () => {
      steps = await runJob("prolog", image, [`--comment=ours, image=${image} and more`]);
    });
    expect(steps).toEqual(["link", "link"]);
    expect(counts).toEqual({ "HEAD manifests": 4, "GET manifests": 1, "GET blobs": 2 });
    await until("the epilogs have let it go", () => (uses().length === 0 ? true : undefined), 60_000);
  },
  LIMIT_MS,
);

withSlurm(
  "a comment that names what is not there drains no node, and the job runs",
  async () => {
    const image = await push();
    const steps = await runJob("wrong", image, ["--comment=image=docker://127.0.0.1:1/$(touch)/x;'"]);
    expect(steps).toEqual(["link", "made"]);
    expect(await all().cluster.run(["sinfo", "--noheader", "--Node", "--format=%t"])).not.toContain("drain");
  },
  LIMIT_MS,
);
