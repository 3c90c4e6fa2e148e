/** Real containerd, both lines: it pulls through CRI, as the kubelet asks it to, with nothing but the login that was delivered. */
import { afterAll, beforeAll, describe, expect } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findConsumer } from "#consumers";
import { createImageFixture, type ImageFixture } from "../support/image-fixture.ts";
import { findProgram, needsThat, programPath } from "../support/programs.ts";
import { mustRun, type Ran, runProgram } from "../support/run-program.ts";
import { createScratch, type Scratch } from "../support/scratch.ts";
import { until } from "../support/until.ts";
import {
  type Credentials,
  createProjectRobot,
  startWharf,
  type WharfProcess,
  wharfFromSource,
} from "../support/wharf-process.ts";

const SLOW_MS = 600_000;
let scratch: Scratch;
let fixture: ImageFixture;

beforeAll(async () => {
  scratch = createScratch("containerd");
  fixture = await createImageFixture(scratch.path);
}, SLOW_MS);
afterAll(() => scratch.remove());

const missing = ["containerd", "containerd2", "readers", "skopeo"].filter(
  (name) => findProgram(name) === undefined,
);
const real =
  process.getuid?.() === 0
    ? needsThat(missing.length === 0, `needs ${missing.join(", ")}`)
    : needsThat(false, "needs root");

/** A machine under a folder: what is delivered to, and what its containerd is started with. */
interface Node {
  readonly root: string;
  pull(image: string): Promise<Ran>;
  stop(): Promise<void>;
}

const nodes: Node[] = [];

async function stopNodes(): Promise<void> {
  for (const node of nodes.splice(0)) await node.stop();
}

/** Starts containerd with the configuration that lies there; nothing of it is outside of the folder. */
async function startNode(program: string, root: string): Promise<Node> {
  const socket = join(root, "containerd.sock");
  const log = join(root, "log");
  const child = Bun.spawn([programPath(program), "--config", join(root, "etc/containerd/config.toml")], {
    stdin: "ignore",
    stdout: Bun.file(log),
    stderr: Bun.file(`${log}.err`),
  });
  const node: Node = {
    root,
    pull: (image) => runProgram([programPath("readers"), "pull", socket, image], { env: {} }),
    async stop() {
      child.kill("SIGTERM");
      await child.exited;
    },
  };
  nodes.push(node);
  await until(
    "containerd listens",
    () => {
      if (child.exitCode !== null) throw new Error(readFileSync(`${log}.err`, "utf8").slice(-3000));
      return existsSync(socket) ? true : undefined;
    },
    60_000,
  );
  return node;
}

/** The configuration that somebody has there before we come. */
function writeConfig(root: string, version: 2 | 3, registry: string): string {
  mkdirSync(join(root, "etc/containerd"), { recursive: true });
  const at = (path: string): string => JSON.stringify(join(root, path));
  const cri =
    version === 2
      ? `[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = "native" # theirs
[plugins."io.containerd.grpc.v1.cri".cni]
  conf_dir = ${at("cni")}
${registry === "" ? "" : `[plugins."io.containerd.grpc.v1.cri".registry]\n  ${registry}\n`}`
      : `[plugins."io.containerd.cri.v1.images"]
  snapshotter = "native" # theirs
[plugins."io.containerd.cri.v1.runtime".cni]
  conf_dir = ${at("cni")}
${registry === "" ? "" : `[plugins."io.containerd.cri.v1.images".registry]\n  ${registry}\n`}`;
  const text = `version = ${version}
root = ${at("lib")}
state = ${at("run")}

[grpc]
  address = ${at("containerd.sock")}

[plugins."io.containerd.internal.v1.opt"]
  path = ${at("opt")}

[plugins."io.containerd.nri.v1.nri"]
  disable = true

${cri}`;
  writeFileSync(join(root, "etc/containerd/config.toml"), text, { mode: 0o644 });
  return text;
}

async function deliver(
  root: string,
  host: string,
  robot: Credentials,
  more: readonly string[],
): Promise<void> {
  const config = scratch.at(`wharf-${crypto.randomUUID()}`, "wharf.yaml");
  mkdirSync(join(config, ".."), { recursive: true });
  const env = { HOME: scratch.path, PATH: "/usr/bin:/bin" };
  const wharf = (args: readonly string[], input?: string): Promise<string> =>
    mustRun([...wharfFromSource, ...args, "--config", config], {
      env,
      cwd: scratch.path,
      ...(input === undefined ? {} : { input }),
    });
  await wharf(
    ["login", host, "--username", robot.username, "--password-stdin", "--as", "lab", ...more],
    robot.secret,
  );
  const text = readFileSync(config, "utf8");
  writeFileSync(config, `${text}deliver:\n  - { to: containerd, at: "folder:${root}", logins: [lab] }\n`);
  await wharf(["apply", "--yes"]);
}

async function push(
  wharf: WharfProcess,
  robot: Credentials,
  image: string,
  more: readonly string[],
): Promise<void> {
  const auth = scratch.at("push.json");
  const pair = Buffer.from(`${robot.username}:${robot.secret}`).toString("base64");
  writeFileSync(auth, JSON.stringify({ auths: { [wharf.host]: { auth: pair } } }), { mode: 0o600 });
  await mustRun(
    [
      programPath("skopeo"),
      "copy",
      "--preserve-digests",
      "--authfile",
      auth,
      ...more,
      `oci:${fixture.layout}:image`,
      `docker://${image}`,
    ],
    { env: { HOME: scratch.path, PATH: "/usr/bin:/bin", TMPDIR: scratch.path } },
  );
}

const lines = [
  ["containerd", 2],
  ["containerd2", 2],
  ["containerd2", 3],
] as const;

describe.each(lines)("%s, configuration version %i", (program, version) => {
  real(
    "pulls with the delivered login, and not before",
    async () => {
      const room = createScratch("node");
      const wharf = await startWharf(room);
      try {
        const robot = await createProjectRobot(wharf.admin, "team");
        const image = `${wharf.host}/team/image:1`;
        await push(wharf, robot, image, ["--dest-tls-verify=false"]);
        const root = room.at("root");
        const before = writeConfig(root, version, "");
        const bare = await startNode(program, root);
        const refused = await bare.pull(image);
        await stopNodes();
        expect(refused.code).not.toBe(0);
        expect(refused.err).toMatch(/401|unauthorized|authoriz/i);

        await deliver(root, wharf.host, robot, []);
        const after = readFileSync(join(root, "etc/containerd/config.toml"), "utf8");
        expect(after.startsWith(before)).toBe(true);
        const node = await startNode(program, root);
        const pulled = await node.pull(image);
        await stopNodes();
        expect(pulled).toMatchObject({ code: 0, err: "" });
      } finally {
        await stopNodes();
        await wharf.stop();
        room.remove();
      }
    },
    SLOW_MS,
  );

  real(
    "trusts a private CA by the hosts.toml that comes with the login",
    async () => {
      const room = createScratch("node");
      const wharf = await startWharf(room, { args: ["--tls", "auto"], tls: true });
      const ca = join(wharf.dataFolder, "tls", "ca.crt");
      try {
        const robot = await createProjectRobot(wharf.admin, "team");
        const image = `${wharf.host}/team/image:1`;
        mkdirSync(room.at("ca"));
        writeFileSync(room.at("ca", "ca.crt"), readFileSync(ca));
        await push(wharf, robot, image, ["--dest-cert-dir", room.at("ca")]);
        const root = room.at("root");
        writeConfig(root, version, `config_path = ${JSON.stringify(join(root, "etc/containerd/certs.d"))}`);
        await deliver(root, wharf.host, robot, ["--ca", ca]);
        const node = await startNode(program, root);
        const pulled = await node.pull(image);
        await stopNodes();
        expect(pulled).toMatchObject({ code: 0, err: "" });

        // Another CA in its place is not trusted, so it was this file that made the pull possible.
        const certificate = join(root, "etc/containerd/certs.d", wharf.host, "ca.crt");
        const other = createScratch("other-ca");
        const stranger = await startWharf(other, { args: ["--tls", "auto"], tls: true });
        writeFileSync(certificate, readFileSync(join(stranger.dataFolder, "tls", "ca.crt")));
        await stranger.stop();
        other.remove();
        const again = await startNode(program, root);
        const refused = await again.pull(`${wharf.host}/team/image:2`);
        await stopNodes();
        expect(refused.code).not.toBe(0);
        expect(refused.err).toMatch(/x509|certificate/);
      } finally {
        await stopNodes();
        await wharf.stop();
        room.remove();
      }
    },
    SLOW_MS,
  );
});

/** Main file and drop-in, and hosts that have an entry in one of them. */
const CRI = 'plugins."io.containerd.grpc.v1.cri".registry';
const IMAGES = 'plugins."io.containerd.cri.v1.images".registry';
const entry = (table: string, host: string, user: string): string =>
  `[${table}.configs."${host}".auth]\nusername = "${user}"\npassword = "p"\n`;
const configurations: readonly (readonly [string, string])[] = [
  [
    `version = 2\nIMPORTS${entry(CRI, "m.example", "main")}`,
    `version = 2\n${entry(CRI, "r.example", "drop")}`,
  ],
  [
    `version = 2\nIMPORTS${entry(CRI, "r.example", "main")}`,
    `version = 2\n${entry(CRI, "r.example", "drop")}`,
  ],
  [
    `version = 2\nIMPORTS${entry(CRI, "m.example", "main")}`,
    `version = 3\n${entry(IMAGES, "r.example", "drop")}`,
  ],
  [
    `version = 3\nIMPORTS${entry(IMAGES, "m.example", "main")}`,
    `version = 2\n${entry(CRI, "r.example", "drop")}`,
  ],
  [`version = 3\n${entry(IMAGES, "r.example", "new")}${entry(CRI, "r.example", "old")}`, ""],
  [`version = 2\n${entry(IMAGES, "r.example", "new")}${entry(CRI, "r.example", "old")}`, ""],
  [entry(CRI, "r.example", "long"), ""],
  [entry("plugins.cri.registry", "r.example", "short"), ""],
];

describe.each(["containerd", "containerd2"])("%s: what it makes of its files", (program) => {
  real(
    "is what our reader says: versions, names of the plugin, imports",
    async () => {
      const room = createScratch("dump");
      try {
        mkdirSync(room.at("conf.d"));
        const printed = await mustRun([programPath(program), "--version"]);
        const version = /\d+\.\d+\.\d+/.exec(printed)?.[0] ?? "";
        const [main, dropIn] = [room.at("config.toml"), room.at("conf.d", "wharf.toml")];
        for (const [text, more] of configurations) {
          writeFileSync(
            main,
            text.replace(
              "IMPORTS",
              `imports = [${JSON.stringify(room.at("conf.d"))}]\n`.replace('"]', '/*.toml"]'),
            ),
          );
          rmSync(dropIn, { force: true });
          if (more !== "") writeFileSync(dropIn, more);
          const dump = Bun.TOML.parse(
            await mustRun([programPath(program), "--config", main, "config", "dump"]),
          ) as Dump;
          for (const host of ["r.example", "m.example"]) {
            const plugin =
              dump.plugins[
                version.startsWith("1.") ? "io.containerd.grpc.v1.cri" : "io.containerd.cri.v1.images"
              ];
            const theirs = plugin?.registry?.configs?.[host]?.auth?.username;
            const files = new Map(
              [
                [
                  "/etc/containerd/config.toml",
                  readFileSync(main, "utf8").replace(room.path, "/etc/containerd"),
                ],
              ].map(([path, body]) => [path ?? "", Buffer.from(body ?? "")]),
            );
            if (more !== "") files.set("/etc/containerd/conf.d/wharf.toml", Buffer.from(more));
            const answer = findConsumer("containerd")?.match(files, `${host}/x`, {
              home: "/root",
              user: "root",
              uid: 0,
              env: {},
              version,
              options: { file: "/etc/containerd/conf.d/wharf.toml" },
            });
            const ours = answer?.kind === "login" ? answer.match.username : undefined;
            if (ours !== theirs)
              throw new Error(JSON.stringify({ version, host, text, more, ours, theirs, answer }));
          }
        }
      } finally {
        room.remove();
      }
    },
    SLOW_MS,
  );
});

/** As much of it as is looked at. */
interface Dump {
  readonly plugins: Readonly<
    Record<
      string,
      | {
          readonly registry?: {
            readonly configs?: Readonly<Record<string, { readonly auth?: { readonly username?: string } }>>;
          };
        }
      | undefined
    >
  >;
}
