/** A real kubelet, and what it sends with its pulls: the Secrets, the node's file and the plugin that wharf delivered. */
import { expect } from "bun:test";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Kubelet, startKubelet } from "./support/kubelet.ts";
import { runCli } from "./support/run-cli.ts";
import { until } from "./support/until.ts";
import { useKubeCluster } from "./support/use-kube-cluster.ts";

const TIMEOUT_MS = 180_000;
const [SITE, TEAM, PLUGIN] = [crypto.randomUUID(), crypto.randomUUID(), crypto.randomUUID()];
let kubelet: Kubelet | undefined;

const kube = useKubeCluster("node", {
  programs: ["unshare", "mount"],
  root: "as the kubelet does",
  start: startNode,
  stop: async () => await kubelet?.stop(),
});
const { withCluster: withKubelet } = kube;

const wharf = (args: string, words: Readonly<Record<string, string>>): ReturnType<typeof runCli> =>
  runCli(args.split(" "), { cwd: kube.scratch.path, env: { HOME: kube.scratch.path, ...words } });

async function startNode(): Promise<void> {
  mkdirSync(kube.scratch.at("bin"));
  writeFileSync(
    kube.scratch.at("wharf.yaml"),
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
  const config = readFileSync(kube.scratch.at("plugins.yaml"), "utf8");
  writeFileSync(
    kube.scratch.at("plugins.yaml"),
    config.replaceAll("/etc/wharf/", kube.scratch.at("etc/wharf/")),
  );
  symlinkSync(join(import.meta.dir, "../bin/wharf"), kube.scratch.at("bin/wharf-kubelet-provider"));
  const plugins = { config: kube.scratch.at("plugins.yaml"), folder: kube.scratch.at("bin") };
  kubelet = await startKubelet(kube.cluster, kube.scratch, { root: kube.scratch.at("root"), plugins });
}

const tryPull: Kubelet["tryPull"] = async (...pod) => {
  if (kubelet === undefined) throw new Error("no kubelet was started");
  return await kubelet.tryPull(...pod);
};

/** What `wharf render` prints, into the cluster as its help says. */
async function applySecret(name: string, words: Readonly<Record<string, string>>): Promise<void> {
  const rendered = await wharf(`render kubernetes --name ${name} --namespace default`, {
    SITE,
    TEAM,
    PLUGIN,
    ...words,
  });
  if (rendered.code !== 0) throw new Error(rendered.err);
  await kube.cluster.mustKubectl(["apply", "--server-side", "-f", "-"], { input: rendered.out });
}

withKubelet(
  "the node's file and the plugin serve pods that name no Secret, each for its own images",
  async () => {
    expect(await tryPull("site", "site.example/app:1")).toEqual([`site:${SITE}`]);
    expect(await tryPull("plugin", "p.example/team/app:1")).toEqual([`plugin:${PLUGIN}`]);
    // Which the kubelet asks the plugin for, and the plugin knows better.
    expect(await tryPull("other-team", "p.example/team-b/app:1")).toEqual(["nobody"]);
    expect(await tryPull("nobody", "r.example/team/app:1")).toEqual(["nobody"]);
  },
  TIMEOUT_MS,
);

withKubelet(
  "a pod's Secrets come first, in its order; one that is missing is passed over, the node's file still tried",
  async () => {
    const word = crypto.randomUUID();
    await applySecret("pull", { SITE: word });
    await kube.cluster.mustKubectl([
      ..."create secret docker-registry other --docker-server=site.example --docker-username=other".split(
        " ",
      ),
      "--docker-password=theirs",
    ]);
    expect(await tryPull("order", "site.example/app:2", ["other", "missing", "pull"])).toEqual([
      "other:theirs",
      `site:${word}`,
      `site:${SITE}`,
    ]);
    expect(await tryPull("path", "r.example/team/app:2", ["pull"])).toEqual([`team:${TEAM}`]);
    expect(await tryPull("prefix", "r.example/team-b/app:2", ["pull"])).toEqual(["nobody"]);
  },
  TIMEOUT_MS,
);

withKubelet(
  "a Secret that is changed in place is used by the next pod, without a restart",
  async () => {
    await applySecret("rotated", {});
    expect(await tryPull("before", "r.example/team/app:3", ["rotated"])).toEqual([`team:${TEAM}`]);
    const word = crypto.randomUUID();
    await applySecret("rotated", { TEAM: word });
    let count = 0;
    // The kubelet hears of the change by its watch, a moment later.
    const tried = await until(
      "the new secret is sent",
      async () => {
        const tries = await tryPull(`after-${++count}`, "r.example/team/app:3", ["rotated"]);
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
    await kube.cluster.mustKubectl([
      ..."create secret generic broken --type=kubernetes.io/dockerconfigjson".split(" "),
      `--from-literal=.dockerconfigjson=${broken}`,
    ]);
    expect(await tryPull("broken", "r.example/team/app:4", ["good", "broken"])).toEqual([]);
  },
  TIMEOUT_MS,
);
