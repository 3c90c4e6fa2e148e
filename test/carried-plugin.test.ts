/** The kubelet's plugin with its executable, put on a node over a real sshd whose /etc is its own. */
import { afterAll, beforeAll, expect, setDefaultTimeout } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findProgram, needsThat, programPath, repository } from "./support/programs.ts";
import { runCli } from "./support/run-cli.ts";
import { runProgram } from "./support/run-program.ts";
import { createScratch, type Scratch } from "./support/scratch.ts";
import { type SshServer, startSshServer } from "./support/ssh-server.ts";

// A busy machine takes its time over a hundred megabytes.
setDefaultTimeout(600_000);

const canRun =
  process.getuid?.() === 0 &&
  ["sshd", "ssh", "ssh-keygen", "unshare", "mount"].every((program) => findProgram(program) !== undefined);
const asRoot = needsThat(canRun, "needs root, sshd, unshare, mount");
const SECRET = `canary-${crypto.randomUUID()}`;

let server: SshServer;
let scratch: Scratch;

beforeAll(async () => {
  if (!canRun) return;
  scratch = createScratch("plugin");
  const built = Bun.spawnSync([process.execPath, "scripts/build.ts", "--outfile", scratch.at("wharf")], {
    cwd: repository,
    stderr: "pipe",
  });
  if (built.exitCode !== 0) throw new Error(built.stderr.toString());
  // The node's own: what is delivered lies at fixed paths below it.
  if (Bun.spawnSync(["cp", "-a", "/etc", scratch.at("etc")]).exitCode !== 0)
    throw new Error("no copy of /etc");
  const bind = `${programPath("mount")} --bind ${scratch.at("etc")} /etc && exec "$@"`;
  server = await startSshServer({ prefix: [programPath("unshare"), "--mount", "sh", "-c", bind, "sh"] });
}, 600_000);
afterAll(async () => {
  await server?.stop();
  scratch?.remove();
});

asRoot(
  "the plugin is put into the kubelet's folder and answers its request; all of it goes away again",
  async () => {
    const home = server.addHost("node");
    const bin = join(home, "plugins");
    mkdirSync(bin);
    const config = (deliveries: string): void =>
      writeFileSync(
        scratch.at("wharf.yaml"),
        `version: 1\nlogins:\n  lab: { registry: r.example/team, username: acme, password: { env: LAB } }\ndeliver: ${deliveries}\n`,
      );
    const wharf = (line: string) =>
      runCli(line.split(" "), {
        cwd: scratch.path,
        env: { ...server.env, HOME: scratch.path, LAB: SECRET },
      });
    config(`[{ to: kubelet-plugin, at: "ssh://node", bin-dir: ${bin}, executable: wharf }]`);
    const applied = await wharf("apply --yes --json");
    expect(applied.code).toBe(0);
    // What the configuration names is there before it.
    expect(JSON.parse(applied.out).targets[0].written.map(({ path }: { path: string }) => path)).toEqual([
      join(bin, "wharf-kubelet-provider"),
      "/etc/wharf/kubelet-logins.json",
      "/etc/kubernetes/image-credential-providers.yaml",
    ]);
    const entry = readFileSync(scratch.at("etc/kubernetes/image-credential-providers.yaml"), "utf8");
    expect(entry).toContain("name: wharf-kubelet-provider");
    // As the kubelet does it: the name of the entry in its folder, the variables of the entry, one request.
    const ask = async (image: string) =>
      await runProgram(
        [
          join(server.folder, "bin/ssh"),
          "node",
          `WHARF_KUBELET_LOGINS=/etc/wharf/kubelet-logins.json exec ${bin}/wharf-kubelet-provider`,
        ],
        {
          env: server.env,
          input: JSON.stringify({
            apiVersion: "credentialprovider.kubelet.k8s.io/v1",
            kind: "CredentialProviderRequest",
            image,
          }),
        },
      );
    const answer = await ask("r.example/team/app");
    expect([answer.code, answer.err]).toEqual([0, ""]);
    expect(JSON.parse(answer.out)).toMatchObject({
      kind: "CredentialProviderResponse",
      auth: { "r.example/team/app": { username: "acme", password: SECRET } },
    });
    expect(JSON.parse((await ask("r.example/teamwork/app")).out).auth ?? {}).toEqual({});
    config("[]");
    expect((await wharf("apply --yes")).code).toBe(0);
    expect(readdirSync(bin)).toEqual([]);
    expect(existsSync(scratch.at("etc/wharf/kubelet-logins.json"))).toBe(false);
  },
);
