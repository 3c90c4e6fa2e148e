/** `wharf pyxis-importer` as Pyxis calls it: one conversion for all nodes and users, and to nobody an image that they may not pull. */
import { beforeAll, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { createRegistryClient } from "#client";
import { Secret } from "#core";
import { createFetch } from "#system";
import { needs, programPath, repository } from "./support/programs.ts";
import { pushImage } from "./support/push-image.ts";
import { runWharf } from "./support/run-cli.ts";
import { mustRun } from "./support/run-program.ts";
import { renderTarItems } from "./support/tar-writer.ts";
import type { TestLogin } from "./support/test-server.ts";
import { useWharfHome } from "./support/use-wharf-home.ts";

const it = useWharfHome("pyxis");
const LIMIT_MS = 180_000;
let robot: TestLogin;
let other: TestLogin;
let images = 0;

beforeAll(async () => {
  robot = await it.server.createRobot("team", "ci", ["pull", "push"]);
  other = await it.server.createRobot("team", "other", ["pull"]);
}, 60_000);

/** A new image each time, whose results nobody has. */
async function push(): Promise<string> {
  const client = createRegistryClient({
    registry: it.server.address,
    fetch: createFetch({ environment: {}, userAgent: "wharf/test" }),
    credentials: { username: robot.username, secret: new Secret(robot.secret) },
  });
  const tag = `v${images++}`;
  const layer = renderTarItems([
    { path: "etc/", mode: 0o755 },
    { path: "etc/name", content: tag },
    { path: "big", content: crypto.getRandomValues(new Uint8Array(65_536)) },
  ]);
  await pushImage(client, "team/app", { tag, layers: [layer], run: { Env: ["A=b"], Cmd: ["run"] } });
  return `docker://${it.server.address}#team/app:${tag}`;
}

/** A home with what `docker login` would have left in it. */
function homeOf(name: string, login: TestLogin | undefined): string {
  const home = join(it.home, name);
  mkdirSync(join(home, ".docker"), { recursive: true, mode: 0o700 });
  if (login === undefined) return home;
  const auth = Buffer.from(`${login.username}:${login.secret}`).toString("base64");
  const auths = { [it.server.address]: { auth } };
  writeFileSync(join(home, ".docker", "config.json"), JSON.stringify({ auths }), { mode: 0o600 });
  return home;
}

function sharedFolder(mode: number): string {
  const path = join(it.home, "shared");
  mkdirSync(path);
  chmodSync(path, mode);
  return path;
}

const jobEnv = (home: string, job: number): Record<string, string> => ({
  HOME: home,
  SLURM_JOB_ID: String(job),
  SLURM_STEP_ID: "0",
  SLURM_JOB_UID: String(process.getuid?.()),
  PYXIS_RUNTIME_PATH: "/run/pyxis",
});

/** What the server was asked for of the project while `work` ran: method and path. */
async function requestsDuring(work: () => Promise<unknown>): Promise<readonly string[]> {
  const before = it.server.logLines.length;
  await work();
  return it.server.logLines
    .slice(before)
    .map((line) => JSON.parse(line) as { method?: string; path?: string })
    .filter(({ path }) => path?.includes("/team/") === true)
    .map(({ method, path }) => `${method} ${path?.replace(/sha256:[0-9a-f]+/, "DIGEST")}`);
}

needs("unsquashfs")(
  "get gives a path of an Enroot squashfs alone; release takes it away, as often as it is called",
  async () => {
    const image = await push();
    const env = jobEnv(homeOf("alice", robot), 7);
    const got = await it.wharf(`pyxis-importer get ${image}`, { env });
    expect([got.code, got.err]).toEqual([0, ""]);
    expect(got.out).toMatch(/^\/.*\/uses\/7\.0\..*\.squashfs\n$/);
    const path = got.out.trim();
    expect(await mustRun([programPath("unsquashfs"), "-cat", path, "etc/environment"])).toContain("A=b");
    expect(await mustRun([programPath("unsquashfs"), "-cat", path, "etc/name"])).toMatch(/^v\d+$/);

    const next = jobEnv(homeOf("alice", robot), 8);
    let second = "";
    const requests = await requestsDuring(async () => {
      second = (await it.wharf(`pyxis-importer get ${image}`, { env: next })).out.trim();
    });
    expect(requests).toEqual([expect.stringMatching(/^HEAD \/v2\/team\/app\/manifests\/v\d+$/)]);
    expect(lstatSync(second).ino).toBe(lstatSync(path).ino);

    for (const released of [1, 0, 0]) {
      const { code, out } = await it.wharf("pyxis-importer release --json", { env });
      expect([code, JSON.parse(out)]).toEqual([0, { released }]);
    }
    expect([existsSync(path), existsSync(second)]).toEqual([false, true]);
  },
);

test(
  "16 processes at once: one makes it, one fetches it, and all have the same bytes",
  async () => {
    const image = await push();
    const home = homeOf("alice", robot);
    const outcomes: { path: string; how: string }[] = [];
    const requests = await requestsDuring(async () => {
      const runs = Array.from({ length: 16 }, async (_, node) => {
        const env = { ...jobEnv(home, 20), SLURMD_NODENAME: `node${node}` };
        const { code, out, err } = await runWharf(["pyxis-importer", "get", image, "--json"], { env });
        expect([code, err]).toEqual([0, ""]);
        outcomes.push(JSON.parse(out) as { path: string; how: string });
      });
      await Promise.all(runs);
    });
    expect(outcomes.map(({ how }) => how).sort()).toEqual([...Array(15).fill("link"), "made"]);
    const [first] = outcomes;
    if (first === undefined) throw new Error("nobody got it");
    for (const { path } of outcomes) expect(readFileSync(path)).toEqual(readFileSync(first.path));
    const counts = Map.groupBy(requests, (request) => request.replace(/v\d+$/, "TAG"));
    expect(counts.get("HEAD /v2/team/app/manifests/TAG")).toHaveLength(16);
    expect(counts.get("GET /v2/team/app/manifests/DIGEST")).toHaveLength(1);
    // The config and one layer.
    expect(counts.get("GET /v2/team/app/blobs/DIGEST")).toHaveLength(2);
  },
  LIMIT_MS,
);

test(
  "an image that one user brought is given to those whom the registry lets pull it, and to nobody else",
  async () => {
    const image = await push();
    const shared = sharedFolder(0o2770);
    const get = (name: string, login: TestLogin | undefined) =>
      it.wharf(`pyxis-importer get ${image} --shared ${shared} --json`, {
        env: jobEnv(homeOf(name, login), 30),
      });
    const first = await get("alice", robot);
    expect(JSON.parse(first.out)).toMatchObject({ how: "made" });
    const uses = readdirSync(join(shared, "uses"));
    for (const [name, login] of [
      ["stranger", undefined],
      ["revoked", { username: robot.username, secret: "wrong" }],
    ] as const) {
      const { code, out } = await get(name, login);
      expect([name, code, out.includes(shared)]).toEqual([name, 4, false]);
    }
    expect(readdirSync(join(shared, "uses"))).toEqual(uses);
    const member = await get("bob", other);
    expect(JSON.parse(member.out)).toMatchObject({ how: "link" });
  },
  LIMIT_MS,
);

test(
  "where everybody may read the shared cache, an image that needs a login goes into the user's own",
  async () => {
    const image = await push();
    const shared = sharedFolder(0o3777);
    const home = homeOf("alice", robot);
    const get = () => it.wharf(`pyxis-importer get ${image} --shared ${shared}`, { env: jobEnv(home, 40) });
    const { out } = await get();
    expect(out.startsWith(`${home}/.cache/wharf/images/uses/`)).toBe(true);
    expect(readdirSync(join(shared, "results"))).toEqual([]);
    expect(readdirSync(join(shared, "blobs/sha256"))).toEqual([]);
    const released = await it.wharf(`pyxis-importer release --shared ${shared} --json`, {
      env: jobEnv(home, 40),
    });
    expect(JSON.parse(released.out)).toEqual({ released: 1 });
  },
  LIMIT_MS,
);

test(
  "a link of its own name is the importer, and takes no wharf.yaml from the folder of the job",
  async () => {
    const link = join(it.home, "wharf-pyxis-importer");
    symlinkSync(join(repository, "bin/wharf"), link);
    const folder = join(it.home, "job");
    mkdirSync(folder);
    // Broken: who reads it fails.
    writeFileSync(join(folder, "wharf.yaml"), "version: 1\nlogins: 7\n");
    const image = await push();
    for (const args of [["get", image], ["release"]]) {
      const child = Bun.spawn([link, ...args], {
        cwd: folder,
        env: { PATH: process.env.PATH ?? "/usr/bin:/bin", ...jobEnv(homeOf("alice", robot), 70) },
        stdin: "ignore",
        stdout: "pipe",
        stderr: "pipe",
      });
      const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
      expect({ args, code, err }).toEqual({ args, code: 0, err: "" });
      expect(out).toMatch(args[0] === "get" ? /^\/.*\/uses\/70\.0\..*\.squashfs\n$/ : /^$/);
    }
  },
  LIMIT_MS,
);

test(
  "no job, another user's job, no image: said on standard error, and nothing on standard output",
  async () => {
    const env = jobEnv(homeOf("alice", robot), 50);
    for (const [args, changes, says] of [
      ["get docker://debian", { SLURM_JOB_ID: "" }, "SLURM_JOB_ID is not set"],
      ["get docker://debian", { SLURM_JOB_ID: "../1" }, "SLURM_JOB_ID is not set"],
      ["release", { SLURM_JOB_UID: "4711" }, "the job is of user"],
      ["get oci:folder", {}, "is no image of a registry"],
      ["get", {}, "get wants the image"],
      ["get docker://debian --shared images", {}, "absolute path"],
    ] as const) {
      const { code, out, err } = await it.wharf(`pyxis-importer ${args}`, { env: { ...env, ...changes } });
      expect([args, out, code > 0, err.includes(says)]).toEqual([args, "", true, true]);
    }
  },
  LIMIT_MS,
);
