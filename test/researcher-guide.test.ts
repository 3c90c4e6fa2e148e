/** The researcher's guide does what it says of images: its `wharf` lines run in order, against a real registry, and as somebody who is not root. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmodSync, chownSync, closeSync, cpSync, mkdirSync, openSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { createRegistryClient } from "#client";
import { Secret } from "#core";
import { createFetch } from "#system";
import { createImageFixture } from "./support/image-fixture.ts";
import { findProgram, needsThat, programPath, repository } from "./support/programs.ts";
import { pushImage } from "./support/push-image.ts";
import { type InProcessResult, runCli } from "./support/run-cli.ts";
import { mustRun, runProgram } from "./support/run-program.ts";
import { createScratch, type Scratch } from "./support/scratch.ts";
import { type SshServer, startSshServer } from "./support/ssh-server.ts";
import { renderTarItems } from "./support/tar-writer.ts";
import { startTestServer, type TestLogin, type TestServer } from "./support/test-server.ts";
import { readTexts } from "./support/texts.ts";

const SECTIONS = [
  "Images where there is no Docker and no root",
  "Convert on a laptop, run on the cluster",
  "Before a Slurm job, or at its start",
];
/** The guide's registries, and what each holds. */
const REGISTRIES = {
  "nvcr.io": { project: "nvidia", name: "nvidia/pytorch", tag: "24.01-py3" },
  "registry.example.ac.uk": { project: "team-a", name: "team-a/app", tag: "1" },
} as const;
const HOST = "login.example.ac.uk";
const MAGIC = { sif: "SIF_MAGIC", squashfs: "hsqs" };

const hasPrograms = ["sshd", "ssh", "ssh-keygen", "unsquashfs", "siftool"].every(
  (name) => findProgram(name) !== undefined,
);
const walks = needsThat(hasPrograms, "needs sshd, ssh, unsquashfs, siftool");

let scratch: Scratch;
let server: TestServer;
let login: TestLogin;
let ssh: SshServer | undefined;
let home = "";

beforeAll(async () => {
  scratch = createScratch("researcher");
  home = scratch.at("home");
  mkdirSync(home, { mode: 0o700 });
  server = await startTestServer();
  login = await server.createUser("researcher");
  const layers = [
    renderTarItems([
      { path: "bin/", mode: 0o755 },
      { path: "bin/app", content: "#!/bin/sh\necho app\n", mode: 0o755 },
      { path: "etc/passwd", content: "root:x:0:0::/:/bin/sh\n" },
    ]),
  ];
  const client = createRegistryClient({
    registry: server.address,
    fetch: createFetch({ environment: {}, userAgent: "wharf/test" }),
    credentials: { username: server.admin.username, secret: new Secret(server.admin.secret) },
  });
  for (const { project, name, tag } of Object.values(REGISTRIES)) {
    await server.createProject(project);
    await server.api("PUT", `/projects/${project}/members/researcher`, { role: "guest" });
    await pushImage(client, name, { tag, layers, run: { Cmd: ["/bin/app"] } });
  }
  mkdirSync(scratch.at("fixture"));
  const fixture = await createImageFixture(scratch.at("fixture"));
  cpSync(fixture.dockerArchive, join(home, "app.tar"));
  const tagged = await runCli(["pull", `oci:${fixture.layout}:image`, `oci:${join(home, "build")}:app`], {
    cwd: home,
    env: { HOME: home },
  });
  expect(tagged).toMatchObject({ code: 0 });
  if (hasPrograms) ssh = await startSshServer();
}, 120_000);
afterAll(async () => {
  await ssh?.stop();
  await server.stop();
  scratch.remove();
}, 60_000);

walks(
  "what the guide says of images is done from top to bottom",
  async () => {
    const there = ssh?.addHost(HOST) ?? "";
    const env = { ...ssh?.env, HOME: home };
    const run = async (line: string): Promise<InProcessResult> => {
      const result = await runCli(wordsOf(line), { cwd: home, env, input: login.secret });
      expect({ line, code: result.code, said: result.code === 0 ? "" : result.err }).toEqual({
        line,
        code: 0,
        said: "",
      });
      return result;
    };
    await run("wharf login nvcr.io -u researcher --as ngc --password-stdin");
    const lines = linesOf(SECTIONS);
    expect(lines.length).toBeGreaterThan(7);
    const made: string[] = [];
    for (const line of lines) {
      if (line.startsWith("mkdir -p ")) mkdirSync(join(home, line.slice("mkdir -p ".length)));
      if (!line.startsWith("wharf ")) continue;
      const { out } = await run(line);
      if (line.startsWith("wharf pull")) made.push(out.trim());
      else expect(out).toContain("sha256:");
    }
    expect(made).toEqual([
      "pytorch_24.01-py3.sif",
      "nvidia+pytorch+24.01-py3.sqsh",
      "app.sif",
      "from-docker-save.sif",
      "from-a-layout.sif",
      `ssh://${HOST}/~/app.sif`,
      "images/pytorch.sqsh",
    ]);
    for (const name of made)
      await expectImage(name.startsWith("ssh://") ? `${there}/app.sif` : join(home, name));
    // The guide names the files that it makes.
    const text = readTexts().get("docs/guide/researcher.md") ?? "";
    for (const name of made.slice(0, 2)) expect(text).toContain(`\`${name}\``);
    // Uploading while it is converted gives what converting here gives.
    expect(await Bun.file(`${there}/app.sif`).bytes()).toEqual(await Bun.file(join(home, "app.sif")).bytes());
  },
  120_000,
);

const asNobody = needsThat(
  process.getuid?.() === 0 &&
    ["setpriv", "unshare", "mount", "siftool"].every((name) => findProgram(name) !== undefined),
  "needs root, to be somebody else, and setpriv, unshare, mount, siftool",
);

asNobody(
  "a private image becomes a SIF for who is not root, with docker's login and without any program",
  async () => {
    const mine = scratch.at("mine");
    const auth = Buffer.from(`${login.username}:${login.secret}`).toString("base64");
    mkdirSync(join(mine, ".docker"), { recursive: true });
    await Bun.write(
      join(mine, ".docker", "config.json"),
      JSON.stringify({ auths: { [server.address]: { auth } } }),
    );
    const uid = 65_534;
    for (const path of [mine, join(mine, ".docker"), join(mine, ".docker", "config.json")])
      chownSync(path, uid, uid);
    chmodSync(scratch.path, 0o755);
    const image = `docker://${server.address}/nvidia/pytorch:24.01-py3`;
    const drop = [
      programPath("setpriv"),
      `--reuid=${uid}`,
      `--regid=${uid}`,
      "--clear-groups",
      "--no-new-privs",
    ];
    // The checkout may lie where nobody else can go: it is shown elsewhere too, for this process alone.
    const shown = scratch.at("wharf");
    mkdirSync(shown);
    const bind = 'mount --bind "$1" "$2" && shift 2 && exec "$@"';
    const within = [programPath("unshare"), "--mount", "sh", "-c", bind, "sh", repository, shown];
    const ran = await runProgram([...within, ...drop, join(shown, "bin/wharf"), "pull", image], {
      cwd: mine,
      // What the launcher needs, and nothing else.
      env: { HOME: mine, PATH: "/usr/bin:/bin" },
    });
    expect(ran).toMatchObject({ code: 0, out: "pytorch_24.01-py3.sif\n" });
    await expectImage(join(mine, "pytorch_24.01-py3.sif"));
    expect(statSync(join(mine, "pytorch_24.01-py3.sif")).uid).toBe(uid);
  },
  120_000,
);

test("the sections are in the guide", () => {
  for (const section of SECTIONS) expect(linesOf([section]).length).toBeGreaterThan(1);
});

/** The lines of the shell blocks in these sections of the guide. */
function linesOf(sections: readonly string[]): string[] {
  const text = readTexts().get("docs/guide/researcher.md") ?? "";
  return text
    .split(/^## /m)
    .filter((part) => sections.includes(part.split("\n")[0] ?? ""))
    .flatMap((part) => [...part.matchAll(/```sh\n([\s\S]*?)```/g)])
    .flatMap(([, block = ""]) => block.trim().split("\n"));
}

/** A command line's words, with our server in place of the guide's registries. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)]
    .map(([, quoted, plain]) => quoted ?? plain ?? "")
    .slice(1)
    .map((word) => Object.keys(REGISTRIES).reduce((text, name) => text.replace(name, server.address), word));
}

/** A SIF or a squashfs that its own tools read. */
async function expectImage(path: string): Promise<void> {
  const isSif = path.endsWith(".sif");
  const bytes = Buffer.alloc(64);
  const file = openSync(path, "r");
  readSync(file, bytes, 0, bytes.length, 0);
  closeSync(file);
  expect(bytes.toString("latin1")).toContain(isSif ? MAGIC.sif : MAGIC.squashfs);
  if (isSif) expect(await mustRun([programPath("siftool"), "list", path])).toContain("*System/amd64");
  else expect(await mustRun([programPath("unsquashfs"), "-ls", path])).toContain("squashfs-root/bin/app");
}
