/** A real kubelet, and what it sends with its pulls: the Secrets, the node's file and the plugin that wharf delivered. */
import { afterAll, beforeAll, expect } from "bun:test";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type KubeCluster, startKubeCluster } from "./support/kube-cluster.ts";
import { type Kubelet, startKubelet } from "./support/kubelet.ts";
import { findProgram, needs, needsThat } from "./support/programs.ts";
import { runCli } from "./support/run-cli.ts";
import { createScratch, type Scratch } from "./support/scratch.ts";
import { until } from "./support/until.ts";

const TIMEOUT_MS = 180_000;
const isRoot = process.getuid?.() === 0;
const programs = ["kube", "openssl", "unshare", "mount"];
const withKubelet = isRoot ? needs(...programs) : needsThat(false, "needs root, as the kubelet does");
const [SITE, TEAM, PLUGIN] = [crypto.randomUUID(), crypto.randomUUID(), crypto.randomUUID()];
let scratch: Scratch;
let cluster: KubeCluster;
let kubelet: Kubelet;

const wharf = (args: string, words: Readonly<Record<string, string>>): ReturnType<typeof runCli> =>
  runCli(args.split(" "), { cwd: scratch.path, env: { HOME: scratch.path, ...words } });

beforeAll(async () => {
  if (!isRoot || programs.some((name) => findProgram(name) === undefined)) return;
  scratch = createScratch("node");
  mkdirSync(scratch.at("bin"));
  writeFileSync(
    scratch.at("wharf.yaml"),
    `version: 1
logins:
  site: { registry: site.example, username: site, password: { env: SITE } }
  team: { registry: r.example/team, username: team, password: { env: TEAM } }
  plugin: { registry: p.example/team, username: plugin, password: { env: PLUGIN } }
deliver:
  - { to: kubelet, at: "folder:.", file: /root/config.json, logins: [site] }
  - { to: kubelet-plugin, at: "folder:.", file: /plugins.yaml, logins: [plugin] }
`,
  );
  const applied = await wharf("apply --yes", { SITE, TEAM, PLUGIN });
  if (applied.code !== 0) throw new Error(applied.err);
  // The node's folder is not its root here: the path that the program is told of is another.
  const config = readFileSync(scratch.at("plugins.yaml"), "utf8");
  writeFileSync(scratch.at("plugins.yaml"), config.replaceAll("/etc/wharf/", scratch.at("etc/wharf/")));
  symlinkSync(join(import.meta.dir, "../bin/wharf"), scratch.at("bin/wharf-kubelet-provider"));
  cluster = await startKubeCluster(scratch);
  const plugins = { config: scratch.at("plugins.yaml"), folder: scratch.at("bin") };
  kubelet = await startKubelet(cluster, scratch, { root: scratch.at("root"), plugins });
}, 400_000);

afterAll(async () => {
  await kubelet?.stop();
  await cluster?.stop();
  scratch?.remove();
}, 60_000);

/** What `wharf render` prints, into the cluster as its help says. */
async function applySecret(name: string, words: Readonly<Record<string, string>>): Promise<void> {
  const rendered = await wharf(`render kubernetes --name ${name} --namespace default`, {
    SITE,
    TEAM,
    PLUGIN,
    ...words,
  });
  if (rendered.code !== 0) throw new Error(rendered.err);
  await cluster.mustKubectl(["apply", "--server-side", "-f", "-"], { input: rendered.out });
}

withKubelet(
  "the node's file and the plugin serve pods that name no Secret, each for its own images",
  async () => {
    expect(await kubelet.tryPull("site", "site.example/app:1")).toEqual([`site:${SITE}`]);
    expect(await kubelet.tryPull("plugin", "p.example/team/app:1")).toEqual([`plugin:${PLUGIN}`]);
    // Which the kubelet asks the plugin for, and the plugin knows better.
    expect(await kubelet.tryPull("other-team", "p.example/team-b/app:1")).toEqual(["nobody"]);
    expect(await kubelet.tryPull("nobody", "r.example/team/app:1")).toEqual(["nobody"]);
  },
  TIMEOUT_MS,
);

withKubelet(
  "a pod's Secrets come first, in its order; one that is missing is passed over, the node's file still tried",
  async () => {
    const word = crypto.randomUUID();
    await applySecret("pull", { SITE: word });
    await cluster.mustKubectl([
      ..."create secret docker-registry other --docker-server=site.example --docker-username=other".split(
        " ",
      ),
      "--docker-password=theirs",
    ]);
    expect(await kubelet.tryPull("order", "site.example/app:2", ["other", "missing", "pull"])).toEqual([
      "other:theirs",
      `site:${word}`,
      `site:${SITE}`,
    ]);
    expect(await kubelet.tryPull("path", "r.example/team/app:2", ["pull"])).toEqual([`team:${TEAM}`]);
    expect(await kubelet.tryPull("prefix", "r.example/team-b/app:2", ["pull"])).toEqual(["nobody"]);
  },
  TIMEOUT_MS,
);

withKubelet(
  "a Secret that is changed in place is used by the next pod, without a restart",
  async () => {
    await applySecret("rotated", {});
    expect(await kubelet.tryPull("before", "r.example/team/app:3", ["rotated"])).toEqual([`team:${TEAM}`]);
    const word = crypto.randomUUID();
    await applySecret("rotated", { TEAM: word });
    let count = 0;
    // The kubelet hears of the change by its watch, a moment later.
    const tried = await until(
      "the new secret is sent",
      async () => {
        const tries = await kubelet.tryPull(`after-${++count}`, "r.example/team/app:3", ["rotated"]);
        return tries.includes(`team:${TEAM}`) ? undefined : tries;
      },
      60_000,
    );
    expect(tried).toEqual([`team:${word}`]);
  },
  TIMEOUT_MS,
);

withKubelet(
  "one undecodable entry in any Secret fails the pod, for other registries' images too: so wharf never writes one",
  async () => {
    await applySecret("good", {});
    const broken = JSON.stringify({ auths: { "else.example": { auth: btoa("nocolon") } } });
    await cluster.mustKubectl([
      ..."create secret generic broken --type=kubernetes.io/dockerconfigjson".split(" "),
      `--from-literal=.dockerconfigjson=${broken}`,
    ]);
    expect(await kubelet.tryPull("broken", "r.example/team/app:4", ["good", "broken"])).toEqual([]);
  },
  TIMEOUT_MS,
);
