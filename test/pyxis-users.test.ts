/** Several users and a shared cache: who waits, who takes over, and whose results are taken. */
import { beforeAll, expect, test } from "bun:test";
import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import { createRegistryClient } from "#client";
import { Secret } from "#core";
import { createFetch } from "#system";
import { needs, needsThat, programPath } from "./support/programs.ts";
import { pushImage } from "./support/push-image.ts";
import { renderTarItems } from "./support/tar-writer.ts";
import type { TestLogin } from "./support/test-server.ts";
import { until } from "./support/until.ts";
import { useWharfHome } from "./support/use-wharf-home.ts";

const it = useWharfHome("pyxis-users");
const LIMIT_MS = 180_000;
const program = join(import.meta.dir, "../bin/wharf");
const [ALICE, BOB, GROUP] = [64_201, 64_202, 64_203];
const asUsers = process.getuid?.() === 0 ? needs("setpriv") : needsThat(false, "needs root");
let robot: TestLogin;
let images = 0;

beforeAll(async () => {
  await it.server.createProject("open", "public");
  robot = await it.server.createRobot("open", "ci", ["pull", "push"]);
}, 60_000);

/** May every user of this machine read it, and enter all folders above. */
function isForAll(path: string): boolean {
  for (let at = path; at !== "/"; at = join(at, "..")) if ((statSync(at).mode & 0o001) === 0) return false;
  return true;
}

/** The tag of a new image that everybody may pull. */
async function push(): Promise<string> {
  const client = createRegistryClient({
    registry: it.server.address,
    fetch: createFetch({ environment: {}, userAgent: "wharf/test" }),
    credentials: { username: robot.username, secret: new Secret(robot.secret) },
  });
  const tag = `v${images++}`;
  const layer = renderTarItems([{ path: "big", content: crypto.getRandomValues(new Uint8Array(65_536)) }]);
  await pushImage(client, "open/app", { tag, layers: [layer] });
  return tag;
}

interface Got {
  readonly path: string;
  readonly how: string;
}

/** Begins a `get` as the importer is called; `under` is put before it. */
function begin(image: string, options: readonly string[], under: readonly string[] = [], uid = 0) {
  const home = join(it.home, `home-${uid}`);
  if (!readdirSync(it.home).includes(`home-${uid}`)) {
    mkdirSync(home, { mode: 0o700 });
    if (uid !== 0) chownSync(home, uid, uid);
  }
  const env = {
    PATH: process.env.PATH ?? "/usr/bin:/bin",
    HOME: home,
    SLURM_JOB_ID: "60",
    SLURM_STEP_ID: "0",
    SLURMD_NODENAME: crypto.randomUUID(),
  };
  const child = Bun.spawn([...under, program, "pyxis-importer", "get", image, ...options, "--json"], {
    cwd: "/",
    env,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const done = async (): Promise<Got> => {
    const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    expect({ code, err, out: code === 0 ? "" : out }).toEqual({ code: 0, err: "", out: "" });
    return JSON.parse(out) as Got;
  };
  return { child, done };
}

function groupFolder(): string {
  chmodSync(it.home, 0o755);
  const shared = join(it.home, "shared");
  mkdirSync(shared);
  chownSync(shared, 0, GROUP);
  chmodSync(shared, 0o2770);
  return shared;
}

/** As that user, of GROUP, with the umask that careful people have. */
const asUser = (uid: number): readonly string[] => [
  programPath("setpriv"),
  `--reuid=${uid}`,
  `--regid=${uid}`,
  `--groups=${GROUP}`,
  // A checkout that they could not read would not start; they see more than other users then, and the rest is shown all the same.
  ...(isForAll(program) ? [] : ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]),
  "sh",
  "-c",
  'umask 077 && exec "$0" "$@"',
];

/** An importer that fetches is killed; `start` begins it, and two others that are to do its work. */
async function killFirst(
  start: (image: string, index: number) => ReturnType<typeof begin>,
): Promise<readonly Got[]> {
  const tag = await push();
  const gate = Promise.withResolvers<void>();
  let [held, asked] = [0, 0];
  const slow = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      if (request.method === "HEAD" && pathname.includes("/manifests/")) asked++;
      if (request.method === "GET" && pathname.includes("/blobs/")) {
        held++;
        await gate.promise;
      }
      return fetch(`${it.server.url}${pathname}${search}`, {
        method: request.method,
        headers: request.headers,
      });
    },
  });
  try {
    const image = `docker://127.0.0.1:${slow.port}/open/app:${tag}`;
    const first = start(image, 0);
    await until("the first one fetches", () => (held > 0 ? true : undefined), 60_000);
    const others = [start(image, 1), start(image, 2)];
    await until("the others ask", () => (asked === 3 ? true : undefined), 60_000);
    first.child.kill("SIGKILL");
    await first.child.exited;
    gate.resolve();
    return await Promise.all(others.map(({ done }) => done()));
  } finally {
    gate.resolve();
    await slow.stop(true);
  }
}

test(
  "the one that makes it is killed: one of those that wait takes over, and the others have what it made",
  async () => {
    const outcomes = await killFirst((image) => begin(image, []));
    expect(outcomes.map(({ how }) => how).sort()).toEqual(["link", "made"]);
  },
  LIMIT_MS,
);

asUsers(
  "another user's work is taken over where the folder lets a group write",
  async () => {
    const shared = groupFolder();
    const users = [ALICE, BOB, BOB] as const;
    const outcomes = await killFirst((image, index) => {
      const uid = users[index] ?? BOB;
      return begin(image, ["--shared", shared], asUser(uid), uid);
    });
    expect(outcomes.map(({ how }) => how).sort()).toEqual(["link", "made"]);
  },
  LIMIT_MS,
);

asUsers(
  "people of a group have one conversion, whatever their umask: another's result is named where it lies",
  async () => {
    const tag = await push();
    const shared = groupFolder();
    const image = `docker://${it.server.address}/open/app:${tag}`;
    const runs = [ALICE, BOB, ALICE, BOB].map((uid) => begin(image, ["--shared", shared], asUser(uid), uid));
    const outcomes = await Promise.all(runs.map(({ done }) => done()));
    expect(outcomes.map(({ how }) => how).filter((how) => how === "made")).toHaveLength(1);
    const inodes = new Set(outcomes.map(({ path }) => statSync(path).ino));
    expect(inodes.size).toBe(1);
    // Another user's file cannot be linked; it is named.
    const named = outcomes.filter(({ how }) => how === "symlink");
    for (const { path } of named) expect(readlinkSync(path).startsWith(join(shared, "results"))).toBe(true);
    expect(named).toHaveLength(2);
    for (const { path } of outcomes) expect([ALICE, BOB]).toContain(lstatSync(path).uid);
  },
  LIMIT_MS,
);

asUsers(
  "where everybody may write, nobody takes what another user left as a result",
  async () => {
    const tag = await push();
    chmodSync(it.home, 0o755);
    const shared = join(it.home, "shared");
    mkdirSync(shared);
    chmodSync(shared, 0o1777);
    const image = `docker://${it.server.address}/open/app:${tag}`;
    const first = await begin(image, ["--shared", shared], asUser(ALICE), ALICE).done();
    const second = await begin(image, ["--shared", shared], asUser(BOB), BOB).done();
    const third = await begin(image, ["--shared", shared], asUser(BOB), BOB).done();
    expect([first.how, second.how, third.how]).toEqual(["made", "made", "link"]);
    expect([first, second, third].map(({ path }) => statSync(path).uid)).toEqual([ALICE, BOB, BOB]);
  },
  LIMIT_MS,
);
