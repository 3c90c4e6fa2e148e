import { afterAll, beforeAll, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type Context, isAppError, silentLogger } from "#core";
import { findProgram, needs, programPath } from "../../../test/support/programs.ts";
import { noiseBytes } from "../../../test/support/squashfs-trees.ts";
import { type SshServer, startSshServer } from "../../../test/support/ssh-server.ts";
import { until } from "../../../test/support/until.ts";
import type { Sink } from "../contract.ts";
import { createSshSink } from "./ssh.ts";
import { parseSshTarget } from "./ssh-target.ts";

const hasServer = findProgram("sshd") !== undefined && findProgram("ssh") !== undefined;
const remote = needs("sshd", "ssh", "ssh-keygen");
let server: SshServer;
let home = "";
beforeAll(async () => {
  if (!hasServer) return;
  server = await startSshServer();
  home = server.addHost("login1");
}, 60_000);
afterAll(async () => {
  if (hasServer) await server.stop();
}, 60_000);

const context: Context = { signal: new AbortController().signal, log: silentLogger };

function open(
  path: string,
  more: { isForced?: boolean; mode?: number; context?: Context } = {},
): Promise<Sink> {
  const { isForced = false, mode = 0o755 } = more;
  return createSshSink(more.context ?? context, parseSshTarget(`ssh://login1${path}`), {
    env: server.env,
    mode,
    isForced,
  });
}

/** What the promise is refused with. */
async function refusal(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (isAppError(error)) return `${error.code}: ${error.message}`;
    throw error;
  }
  return "taken";
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

remote("bytes go where they belong in any order; the file has its name only when all is there", async () => {
  const folder = join(home, `a "folder" with it's $own`);
  mkdirSync(folder);
  const path = join(folder, "-image\nname.sif");
  const bytes = noiseBytes(5_000_001);
  const sink = await open(path);
  await sink.write(40_000, bytes.subarray(40_000));
  await sink.write(5_000_001, noiseBytes(99));
  expect(existsSync(path)).toBe(false);
  await sink.write(0, bytes.subarray(0, 40_000));
  await sink.finish(bytes.length);
  expect(sha256(readFileSync(path))).toBe(sha256(bytes));
  expect(statSync(path).mode & 0o7777).toBe(0o755);
  await sink.abort();
  expect(readdirSync(folder)).toEqual(["-image\nname.sif"]);
});

remote("the home of whoever signs in there", async () => {
  const sink = await open("/~/in-home.sif", { mode: 0o640 });
  await sink.write(0, Buffer.from("x"));
  await sink.finish(10);
  expect(readFileSync(join(home, "in-home.sif"))).toEqual(Buffer.from("x".padEnd(10, "\0")));
  expect(statSync(join(home, "in-home.sif")).mode & 0o7777).toBe(0o640);
});

remote(
  "what is there stays unless it is forced, and also if it comes meanwhile; a symlink is replaced, not followed",
  async () => {
    const folder = join(home, "there");
    mkdirSync(folder);
    const path = join(folder, "image.sif");
    const sink = await open(path);
    writeFileSync(path, "theirs");
    expect(await refusal(sink.finish(0))).toBe(`ALREADY_EXISTS: ssh://login1${path}: it is there already`);
    await sink.abort();
    expect(await refusal(open(path))).toStartWith("ALREADY_EXISTS");
    const forced = await open(path, { isForced: true });
    await forced.write(0, Buffer.from("ours"));
    expect(readFileSync(path, "utf8")).toBe("theirs");
    await forced.finish(4);
    expect(readFileSync(path, "utf8")).toBe("ours");
    symlinkSync(path, join(folder, "link.sif"));
    expect(await refusal(open(join(folder, "link.sif")))).toStartWith("ALREADY_EXISTS");
    const replaced = await open(join(folder, "link.sif"), { isForced: true });
    await replaced.finish(0);
    expect(readFileSync(path, "utf8")).toBe("ours");
    expect(readdirSync(folder).sort()).toEqual(["image.sif", "link.sif"]);
    expect(await refusal(open(folder, { isForced: true }))).toContain("it is a folder");
  },
);

remote("no folder, no right, no host: each is said, and nothing is left", async () => {
  expect(await refusal(open(join(home, "no/such.sif")))).toStartWith("NOT_FOUND");
  const stranger = parseSshTarget("ssh://nobody-knows-it.invalid/x.sif");
  expect(
    await refusal(createSshSink(context, stranger, { env: server.env, mode: 0o755, isForced: false })),
  ).toStartWith("UNREACHABLE");
  expect(
    await refusal(
      createSshSink(context, stranger, { env: { PATH: "/nowhere" }, mode: 0o755, isForced: false }),
    ),
  ).toContain("there is no program ssh here");
});

remote("given up, or cut off in the middle: nothing is left there", async () => {
  const folder = join(home, "left");
  mkdirSync(folder);
  const given = await open(join(folder, "up.sif"));
  await given.write(0, noiseBytes(100_000));
  expect(readdirSync(folder)).toHaveLength(1);
  await given.abort();
  expect(readdirSync(folder)).toEqual([]);
  const stop = new AbortController();
  const cut = await open(join(folder, "cut.sif"), { context: { ...context, signal: stop.signal } });
  await cut.write(0, noiseBytes(100_000));
  stop.abort();
  expect(await refusal(cut.write(100_000, noiseBytes(100_000)))).toStartWith("INTERRUPTED");
  await cut.abort();
  await until(
    "the file is removed there",
    () => (readdirSync(folder).length === 0 ? true : undefined),
    30_000,
  );
});

needs(
  "sshd",
  "ssh",
  "ssh-keygen",
  "busybox",
)("a host whose tools are busybox's", async () => {
  const bin = join(home, "busybox");
  mkdirSync(bin);
  for (const tool of ["dd", "stat", "ln", "mv", "chmod", "rm", "sync", "tr"])
    symlinkSync(programPath("busybox"), join(bin, tool));
  server.addHost("alpine", [`SetEnv WHARF_TEST_PATH=${bin}`]);
  const bytes = noiseBytes(1_500_001);
  const sink = await createSshSink(context, parseSshTarget(`ssh://alpine${home}/alpine.sif`), {
    env: server.env,
    mode: 0o755,
    isForced: false,
  });
  await sink.write(1_000_000, bytes.subarray(1_000_000));
  await sink.write(0, bytes.subarray(0, 1_000_000));
  await sink.finish(bytes.length);
  expect(sha256(readFileSync(join(home, "alpine.sif")))).toBe(sha256(bytes));
});

remote("this process killed in the middle: nothing is left there", async () => {
  const folder = join(home, "killed");
  mkdirSync(folder);
  const program = join(import.meta.dir, "../../../test/support/ssh-sink-child.ts");
  const child = Bun.spawn([process.execPath, program, `ssh://login1${folder}/x.sif`], {
    env: server.env,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  const { value } = await child.stdout.getReader().read();
  expect(new TextDecoder().decode(value)).toBe("written\n");
  expect(readdirSync(folder)).toHaveLength(1);
  child.kill("SIGKILL");
  await child.exited;
  await until(
    "the file is removed there",
    () => (readdirSync(folder).length === 0 ? true : undefined),
    30_000,
  );
});

remote("a full disk, a dd without positions, and a program that ends there", async () => {
  const folder = join(home, "faults");
  const bin = join(home, "bin");
  mkdirSync(folder);
  mkdirSync(bin);
  server.addHost("faulty", [`SetEnv WHARF_TEST_PATH=${bin}`]);
  const faulty = (): Promise<Sink> =>
    createSshSink(
      context,
      { ...parseSshTarget(`ssh://faulty${folder}/x.sif`) },
      {
        env: server.env,
        mode: 0o755,
        isForced: false,
      },
    );
  const stand = (name: string, script: string): void => {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  const dd = String(Bun.which("dd"));
  // Disk full is made here: dd fails, and the file system says that it has no blocks left.
  stand("dd", `case " $* " in *" seek=7 "*) echo "dd: error writing" >&2; exit 1 ;; esac; exec ${dd} "$@"`);
  stand("stat", 'case "$*" in *%a*) echo 0 ;; *) echo 4096 ;; esac');
  const full = await faulty();
  expect(await refusal(full.write(7, noiseBytes(3_000_000)))).toStartWith("STORAGE_FULL");
  await full.abort();
  stand("dd", `case "$*" in *iflag*) echo "dd: unknown operand" >&2; exit 1 ;; esac; exec ${dd} "$@"`);
  expect(await refusal(faulty())).toContain("its dd cannot write by position: dd: unknown operand");
  stand(
    "dd",
    `case " $* " in *" seek=7 "*) read -r _ _ _ up _ < /proc/$PPID/stat; kill -9 "$up" ;; esac; exec ${dd} "$@"`,
  );
  const gone = await faulty();
  expect(await refusal(gone.write(7, noiseBytes(3_000_000)))).toContain("the connection ended while");
  await gone.abort();
});

test("targets: what they mean, and what they cannot be", () => {
  expect(parseSshTarget("ssh://alice@gpu01:2222/data/x.sif")).toEqual({
    host: "gpu01",
    user: "alice",
    port: 2222,
    path: "/data/x.sif",
    text: "ssh://alice@gpu01:2222",
  });
  expect(parseSshTarget("ssh://[::1]/~/a b%20.sif")).toMatchObject({ host: "::1", path: "~/a b%20.sif" });
  for (const text of [
    "ssh://host",
    "ssh://host/",
    "ssh://host/..",
    "ssh://host/a/",
    "ssh://host/~",
    "ssh://-oProxyCommand=x/f",
    "ssh://a b/f",
    "ssh://-u@host/f",
    "ssh://u$(id)@host/f",
    "ssh://host:0/f",
    "ssh://host:70000/f",
    "ssh:///f",
    "scp://host/f",
    "ssh://host/a\0b",
  ])
    expect(() => parseSshTarget(text)).toThrow();
});
