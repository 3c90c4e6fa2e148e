/** The executable itself, sent over a real sshd: what is put there answers docker and the kubelet. */
import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout } from "bun:test";
import {
  appendFileSync,
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
import { findProgram, needs, repository } from "./support/programs.ts";
import { runCli } from "./support/run-cli.ts";
import { runProgram } from "./support/run-program.ts";
import { createScratch, type Scratch } from "./support/scratch.ts";
import { type SshServer, startSshServer } from "./support/ssh-server.ts";
import { until } from "./support/until.ts";

// A busy machine takes its time over a hundred megabytes.
setDefaultTimeout(600_000);

const NEEDED = ["sshd", "ssh", "ssh-keygen"];
const withSsh = needs(...NEEDED);
const SECRET = `canary-${crypto.randomUUID()}`;

let server: SshServer;
let built: Scratch;
let scratch: Scratch;

beforeAll(async () => {
  if (NEEDED.some((name) => findProgram(name) === undefined)) return;
  server = await startSshServer();
  built = createScratch("built");
  const done = Bun.spawnSync([process.execPath, "scripts/build.ts", "--outfile", built.at("wharf")], {
    cwd: repository,
    stderr: "pipe",
  });
  if (done.exitCode !== 0) throw new Error(done.stderr.toString());
}, 600_000);
afterAll(async () => {
  await server?.stop();
  built?.remove();
});
afterEach(() => scratch?.remove());

function deliver(...lines: readonly string[]): void {
  scratch = createScratch("carried");
  writeFileSync(
    scratch.at("wharf.yaml"),
    `version: 1\nlogins:\n  hub: { registry: docker.io, username: acme, password: { env: HUB_TOKEN } }\ndeliver:\n${lines.map((line) => `  - ${line}\n`).join("")}`,
  );
}

async function wharf(line: string, env: Readonly<Record<string, string>> = {}) {
  return await runCli(line.split(" "), {
    cwd: scratch.path,
    env: { ...server.env, HOME: scratch.path, HUB_TOKEN: SECRET, ...env },
  });
}

let hosts = 0;
/** A host of its own, with the folder for the program; and its `ssh HOST COMMAND`. */
function addHost(): {
  name: string;
  bin: string;
  home: string;
  readonly ssh: (command: string, input: string) => Promise<string>;
} {
  const name = `carried${++hosts}`;
  const home = server.addHost(name);
  return {
    name,
    home,
    bin: join(home, "opt/bin"),
    async ssh(command, input) {
      const child = Bun.spawn([join(server.folder, "bin/ssh"), name, command], {
        env: server.env,
        stdin: Buffer.from(input),
        stdout: "pipe",
        stderr: "inherit",
      });
      return await new Response(child.stdout).text();
    },
  };
}

const helper = (host: { name: string; bin: string }): string =>
  `{ to: docker, at: "ssh://${host.name}", helper: wharf, bin-dir: ${host.bin}, executable: ${built.at("wharf")} }`;
const digestOf = (path: string): string =>
  new Bun.CryptoHasher("sha256").update(readFileSync(path)).digest("hex");

withSsh(
  "helper: wharf with bin-dir: the helper is put on the hosts, answers there, and is taken away again",
  async () => {
    const [first, second] = [addHost(), addHost()];
    deliver(helper(first), helper(second));
    const plan = await wharf("plan");
    expect([plan.code, plan.out]).toEqual([0, expect.stringContaining("+ the executable wharf (new)")]);
    expect(existsSync(first.bin)).toBe(false);
    const applied = await wharf("apply --yes");
    expect([applied.code, applied.out]).toEqual([
      0,
      expect.stringContaining(`created ${first.bin}/docker-credential-wharf`),
    ]);
    for (const { name, bin, home, ssh } of [first, second]) {
      expect(applied.err).toContain(`MB) at ssh://${name}, ${bin}/docker-credential-wharf\n`);
      expect(readdirSync(bin)).toEqual(["docker-credential-wharf"]);
      expect(statSync(join(bin, "docker-credential-wharf")).mode & 0o7777).toBe(0o755);
      expect(digestOf(join(bin, "docker-credential-wharf"))).toBe(digestOf(built.at("wharf")));
      // What the helper needs there: a wharf.yaml and a source that it can open, here a file of the home.
      mkdirSync(join(home, ".config/wharf"), { recursive: true });
      writeFileSync(join(home, "token"), SECRET, { mode: 0o600 });
      writeFileSync(
        join(home, ".config/wharf/wharf.yaml"),
        "version: 1\nlogins:\n  hub: { registry: docker.io, username: acme, password: { file: ~/token } }\n",
      );
      const answer = await ssh(`${bin}/docker-credential-wharf get`, "https://index.docker.io/v1/");
      expect(JSON.parse(answer)).toEqual({
        ServerURL: "https://index.docker.io/v1/",
        Username: "acme",
        Secret: SECRET,
      });
    }
    const again = await wharf("apply --yes");
    expect([again.code, again.err]).toEqual([0, expect.stringContaining("nothing to do")]);
    // Another version there: put in order again.
    appendFileSync(join(first.bin, "docker-credential-wharf"), "x");
    const drifted = await wharf("plan");
    expect(drifted.out).toContain("~ the executable wharf (changed there: another version)");
    expect((await wharf("apply --yes")).code).toBe(0);
    expect(digestOf(join(first.bin, "docker-credential-wharf"))).toBe(digestOf(built.at("wharf")));
    writeFileSync(
      scratch.at("wharf.yaml"),
      readFileSync(scratch.at("wharf.yaml"), "utf8").replace(/deliver:[^]*/, "deliver: []\n"),
    );
    const pruned = await wharf("apply --yes");
    expect([pruned.code, pruned.out]).toEqual([0, expect.stringContaining("removed")]);
    for (const { bin, home } of [first, second]) {
      expect(readdirSync(bin)).toEqual([]);
      expect(existsSync(join(home, ".docker/config.json"))).toBe(false);
    }
  },
);

withSsh("what would not run there, or stands there already, is said in words and left as it is", async () => {
  const [other, broken, taken, open] = [addHost(), addHost(), addHost(), addHost()];
  // Another machine's: the same file but for the ELF header's e_machine (183: aarch64).
  const foreign = built.at("wharf-aarch64");
  const bytes = readFileSync(built.at("wharf"));
  bytes.writeUInt16LE(183, 18);
  writeFileSync(foreign, bytes);
  mkdirSync(taken.bin, { recursive: true });
  writeFileSync(join(taken.bin, "theirs"), "#!/bin/sh\n");
  symlinkSync("theirs", join(taken.bin, "docker-credential-wharf"));
  mkdirSync(open.bin, { recursive: true });
  Bun.spawnSync(["chmod", "777", open.bin]);
  deliver(
    helper(other).replace(built.at("wharf"), foreign),
    // A program of this machine that fails whatever it is asked.
    helper(broken).replace(built.at("wharf"), "/bin/false"),
    helper(taken),
    helper(open),
  );
  const applied = await wharf("apply --yes --json");
  expect(applied.code).toBe(3);
  const targets = JSON.parse(applied.out).targets as { place: string; error: unknown; warnings: unknown }[];
  const of = (host: { name: string }) => targets.find(({ place }) => place === `ssh://${host.name}`);
  expect(of(other)?.error).toMatchObject({
    code: "UNSUPPORTED",
    message: expect.stringContaining("for Linux on aarch64"),
  });
  expect(of(broken)?.error).toMatchObject({
    code: "UNSUPPORTED",
    message: expect.stringContaining("does not start there"),
  });
  expect(of(open)?.error).toMatchObject({ code: "UNSAFE_PATH" });
  for (const { home, bin } of [other, broken, open]) {
    // The config would name a helper that is not there.
    expect(existsSync(join(home, ".docker/config.json"))).toBe(false);
    expect(existsSync(bin) ? readdirSync(bin) : []).toEqual([]);
  }
  expect(of(taken)?.error).toBeNull();
  expect(JSON.stringify(of(taken)?.warnings)).toContain("is not from here, so it stays as it is");
  expect(readFileSync(join(taken.bin, "theirs"), "utf8")).toBe("#!/bin/sh\n");
  // Not ours: it stays when the delivery goes.
  writeFileSync(
    scratch.at("wharf.yaml"),
    readFileSync(scratch.at("wharf.yaml"), "utf8").replace(/deliver:[^]*/, "deliver: []\n"),
  );
  await wharf("apply --yes");
  expect(readdirSync(taken.bin).sort()).toEqual(["docker-credential-wharf", "theirs"]);
});

withSsh(
  "a run that is ended in the middle of it leaves nothing there, and the next one does it all",
  async () => {
    const tools = createScratch("tools");
    try {
      // The host takes it in slowly, so that there is a middle; the mark says that it has begun.
      writeFileSync(
        tools.at("gzip"),
        `#!/bin/sh\ntouch ${tools.at("begun")}\nwhile [ "$(head -c 65536 | wc -c)" -gt 0 ]; do sleep 0.1; done\n`,
        { mode: 0o755 },
      );
      const name = "slow";
      const home = join(server.folder, "homes", name);
      server.addHost(name, [`SetEnv WHARF_TEST_PATH=${tools.path} WHARF_TEST_HOME=${home}`]);
      const bin = join(home, "opt/bin");
      deliver(helper({ name, bin }));
      const stop = new AbortController();
      const running = runCli(["apply", "--yes"], {
        cwd: scratch.path,
        env: { ...server.env, HOME: scratch.path, HUB_TOKEN: SECRET },
        signal: stop.signal,
      });
      await until("the host takes it in", () => (existsSync(tools.at("begun")) ? true : undefined), 120_000);
      expect(readdirSync(bin)).toHaveLength(1);
      stop.abort();
      expect((await running).code).not.toBe(0);
      await until(
        "the host has cleaned up",
        () => (readdirSync(bin).length === 0 ? true : undefined),
        120_000,
      );
      expect(existsSync(join(home, ".docker/config.json"))).toBe(false);
      rmSync(tools.at("gzip"));
      expect((await wharf("apply --yes")).code).toBe(0);
      expect(digestOf(join(bin, "docker-credential-wharf"))).toBe(digestOf(built.at("wharf")));
    } finally {
      tools.remove();
    }
  },
);

withSsh("from source there is nothing to send: it is said how to make it", async () => {
  const host = addHost();
  deliver(helper(host).replace(/, executable: [^ ]+/, ""));
  const plan = await wharf("plan --json");
  expect(JSON.parse(plan.out).targets).toMatchObject([
    { error: { code: "UNSUPPORTED", hint: expect.stringContaining("npm run build") } },
  ]);
});

withSsh(
  "on this machine, by the executable itself: it puts a copy of itself there, and the copy answers",
  async () => {
    scratch = createScratch("carried");
    mkdirSync(scratch.at(".config/wharf"), { recursive: true });
    writeFileSync(scratch.at("token"), SECRET, { mode: 0o600 });
    writeFileSync(
      scratch.at(".config/wharf/wharf.yaml"),
      `version: 1\nlogins:\n  hub: { registry: docker.io, username: acme, password: { file: ~/token } }\ndeliver:\n  - { to: docker, at: local, helper: wharf, bin-dir: ~/bin }\n`,
    );
    const env = { HOME: scratch.path, PATH: "/usr/bin:/bin" };
    const applied = await runProgram([built.at("wharf"), "apply", "--yes"], { env, cwd: scratch.path });
    expect([applied.code, applied.err]).toEqual([0, expect.stringContaining("+ the executable wharf (new)")]);
    const path = scratch.at("bin/docker-credential-wharf");
    expect(digestOf(path)).toBe(digestOf(built.at("wharf")));
    const answer = await runProgram([path, "get"], { env, input: "docker.io" });
    expect(JSON.parse(answer.out)).toMatchObject({ Username: "acme", Secret: SECRET });
  },
);
