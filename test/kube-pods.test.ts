/** What a real API server and the kubelet's keyring make of what wharf writes for pods: Secrets and `wharf kube inject`. */
import { expect } from "bun:test";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { askKubelet } from "./support/kubelet-keyring.ts";
import { runCli } from "./support/run-cli.ts";
import { useKubeCluster } from "./support/use-kube-cluster.ts";

const kube = useKubeCluster("pods", { start: writeSetup });
const { withCluster } = kube;
const TIMEOUT_MS = 120_000;
const WORD = `a"b\\c ${crypto.randomUUID()}`;

async function writeSetup(): Promise<void> {
  mkdirSync(kube.scratch.at("empty"));
  writeFileSync(
    kube.scratch.at("wharf.yaml"),
    `version: 1
logins:
  team: { registry: r.example/team, username: 'robot$team+pull', password: { env: WORD } }
  ngc: { registry: nvcr.io, username: $oauthtoken, password: { env: WORD } }
deliver:
  - { to: kubernetes, at: "folder:out", name: pull, namespaces: [ml] }
`,
  );
}

const wharf = (args: readonly string[], input?: string): ReturnType<typeof runCli> =>
  runCli(args, {
    cwd: kube.scratch.path,
    env: { HOME: kube.scratch.path, WORD },
    ...(input === undefined ? {} : { input }),
  });

interface KubeObject {
  readonly metadata: {
    readonly name: string;
    readonly resourceVersion: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec?: { readonly imagePullSecrets?: readonly { readonly name: string }[] };
}

async function get(kind: string, name: string, namespace: string): Promise<KubeObject> {
  return JSON.parse(
    await kube.cluster.mustKubectl(["get", kind, name, "-n", namespace, "-o", "json"]),
  ) as KubeObject;
}

withCluster(
  "a rendered Secret, applied as its help says, is read by the kubelet for exactly the right images",
  async () => {
    await kube.cluster.addNamespace("rendered");
    const rendered = await wharf(["render", "kubernetes", "--name", "pull", "--namespace", "rendered"]);
    expect(rendered.code).toBe(0);
    const apply = ["apply", "--server-side", "-f", "-"];
    await kube.cluster.mustKubectl(apply, { input: rendered.out });
    const first = await get("secret", "pull", "rendered");
    await kube.cluster.mustKubectl(apply, { input: rendered.out });
    const secret = await get("secret", "pull", "rendered");
    expect(secret.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
    // Client-side apply would have put all of it into an annotation.
    expect(Object.keys(secret.metadata.annotations ?? {})).not.toContain(
      "kubectl.kubernetes.io/last-applied-configuration",
    );
    const images = ["r.example/team/app", "r.example/team-b/app", "nvcr.io/nvidia/pytorch:1", "nginx"];
    const [answer] = await askKubelet(
      [{ secrets: [secret], root: kube.scratch.at("empty"), images }],
      kube.scratch.at("empty"),
    );
    expect(answer?.tries.map((tries) => tries.map(({ username }) => username))).toEqual([
      ["robot$team+pull"],
      [],
      ["$oauthtoken"],
      [],
    ]);
    expect(answer?.tries.flat().every(({ password }) => password === WORD)).toBe(true);
  },
  TIMEOUT_MS,
);

withCluster(
  "the API server takes a Secret without auths, and the kubelet reads nothing of it: so wharf looks",
  async () => {
    await kube.cluster.addNamespace("bare");
    const config = JSON.stringify({ "https://eu.gcr.io": { auth: Buffer.from("u:p").toString("base64") } });
    for (const [name, text] of [
      ["bare", config],
      ["empty", "{}"],
    ] as const)
      await kube.cluster.mustKubectl([
        ..."create secret generic -n bare --type=kubernetes.io/dockerconfigjson".split(" "),
        name,
        `--from-literal=.dockerconfigjson=${text}`,
      ]);
    const secrets = [await get("secret", "bare", "bare"), await get("secret", "empty", "bare")];
    const [answer] = await askKubelet(
      [{ secrets, root: kube.scratch.at("empty"), images: ["eu.gcr.io/p/x"] }],
      kube.scratch.at("empty"),
    );
    expect(answer).toEqual({ tries: [[]] });
    const refused = await kube.cluster.kubectl([
      ..."create secret generic text -n bare --type=kubernetes.io/dockerconfigjson".split(" "),
      "--from-literal=.dockerconfigjson=[]",
    ]);
    expect(refused.code).toBe(1);
  },
  TIMEOUT_MS,
);

const JOB = `apiVersion: batch/v1
kind: Job
metadata:
  generateName: train-  # each run its own
  namespace: ml
  labels:
    kueue.x-k8s.io/queue-name: gpu-queue
spec:
  template:
    spec:
      containers:
      - name: main
        image: r.example/team/train:1
      restartPolicy: Never
`;

withCluster(
  "kube inject: the server takes the Job twice, with its label and the Secret of wharf.yaml",
  async () => {
    await kube.cluster.addNamespace("ml");
    writeFileSync(kube.scratch.at("job.yaml"), JOB, { mode: 0o640 });
    const injected = await wharf(["kube", "inject", "-f", "job.yaml"]);
    expect([injected.code, injected.err]).toEqual([
      0,
      "note: a pod with a list of its own no longer gets the pull secrets of its ServiceAccount\n",
    ]);
    const made = new Set<string>();
    for (const _ of [1, 2])
      made.add(
        (await kube.cluster.mustKubectl(["create", "-f", "-", "-o", "name"], { input: injected.out })).trim(),
      );
    expect(made.size).toBe(2);
    for (const name of made) {
      const job = JSON.parse(await kube.cluster.mustKubectl(["get", name, "-n", "ml", "-o", "json"])) as {
        readonly metadata: KubeObject["metadata"];
        readonly spec: { readonly template: { readonly spec: KubeObject["spec"] } };
      };
      expect(job.spec.template.spec?.imagePullSecrets).toEqual([{ name: "pull" }]);
      expect(job.metadata.labels).toMatchObject({ "kueue.x-k8s.io/queue-name": "gpu-queue" });
    }
    const inPlace = await wharf(["kube", "inject", "-f", "job.yaml", "--in-place"]);
    expect(inPlace.out).toBe("Job train-* (line 10): put in pull\n");
    expect(readFileSync(kube.scratch.at("job.yaml"), "utf8")).toBe(injected.out);
    expect(statSync(kube.scratch.at("job.yaml")).mode & 0o777).toBe(0o640);
    const again = await wharf(["kube", "inject", "-f", "job.yaml", "--in-place"]);
    expect([again.code, again.out, again.err]).toEqual([0, "Job train-* (line 10): has it already\n", ""]);
    const other = await wharf(["kube", "inject", "-f", "-"], JOB.replace("namespace: ml", "namespace: hr"));
    expect([other.code, other.err]).toEqual([
      3,
      "warning: Job train-* (line 10): wharf.yaml delivers no pull secret to namespace hr; nothing was put in\n",
    ]);
  },
  TIMEOUT_MS,
);

withCluster(
  "admission copies a ServiceAccount's list only into a pod without one, which inject says",
  async () => {
    await kube.cluster.addNamespace("admission");
    await kube.cluster.mustKubectl([
      ..."patch serviceaccount default -n admission --type=merge -p".split(" "),
      JSON.stringify({ imagePullSecrets: [{ name: "of-the-account" }] }),
    ]);
    const pod = (name: string): string =>
      `apiVersion: v1\nkind: Pod\nmetadata: { name: ${name}, namespace: admission }\nspec:\n  containers:\n    - { name: c, image: x }\n`;
    const injected = await wharf(["kube", "inject", "-f", "-", "--image-pull-secret", "own"], pod("own"));
    await kube.cluster.mustKubectl(["create", "-f", "-"], { input: `${pod("plain")}---\n${injected.out}` });
    const listOf = async (name: string): Promise<readonly string[]> =>
      ((await get("pod", name, "admission")).spec?.imagePullSecrets ?? []).map((one) => one.name);
    expect(await listOf("plain")).toEqual(["of-the-account"]);
    expect(await listOf("own")).toEqual(["own"]);
  },
  TIMEOUT_MS,
);
