/** What wharf tells of the pods of a real cluster: whether one pulls (check --from-target), and with which login (why). */
import { expect } from "bun:test";
import type { CliResult } from "./support/run-cli.ts";
import { until } from "./support/until.ts";
import { useKubeDelivery } from "./support/use-kube-delivery.ts";

const kube = useKubeDelivery("answers");
const { wharf, configure, apply, withCluster } = kube;
const base64 = (text: string): string => Buffer.from(text).toString("base64");

withCluster(
  "check --from-target has a pod pull the named image, reads how that went, and takes it away",
  async () => {
    // The strictest that a namespace may ask for.
    const strict = { "pod-security.kubernetes.io/enforce": "restricted" };
    await kube.cluster.addNamespace("canary", strict);
    configure(
      '{ to: kubernetes, at: "k8s://test", namespaces: [canary], name: pull, logins: [a, b] }',
      '{ to: kubernetes, at: "k8s://test", namespaces: [canary], name: by-account, service-accounts: [default], logins: [b] }',
    );
    await apply();
    const check = (): Promise<CliResult> =>
      wharf(["check", "--offline", "--from-target", "--image", "a.example/tiny:1"]);

    const good = check();
    const pod = await canaryIn("canary");
    expect(pod.spec).toMatchObject({
      imagePullSecrets: [{ name: "pull" }],
      automountServiceAccountToken: false,
      containers: [{ image: "a.example/tiny:1", imagePullPolicy: "Always" }],
    });
    // The kubelet's part, played: pulled, and the command that no image has was not started.
    const terminated = { exitCode: 128, reason: "StartError" };
    await reportOn("canary", pod, { imageID: "a.example/tiny@sha256:0", state: { terminated } });
    const answer = await good;
    expect(answer.out).toContain("a pod in canary pulled a.example/tiny:1");
    expect(answer.out).toMatch(/not asked from .*login b: no image of it was named/);
    expect(answer.code).toBe(0);
    expect(await podsIn("canary")).toEqual([]);

    const bad = check();
    const waiting = { reason: "ErrImagePull", message: "pull access denied" };
    await reportOn("canary", await canaryIn("canary"), { imageID: "", state: { waiting } });
    const refused = await bad;
    expect(refused.code).toBe(3);
    expect(refused.out).toContain("ErrImagePull: pull access denied");
    expect(await podsIn("canary")).toEqual([]);

    // As the ServiceAccount, where the delivery names one: its list is proved with it.
    const byAccount = wharf(["check", "--offline", "--from-target", "--image", "b.example/team/tiny:1"]);
    const first = await canaryIn("canary");
    await reportOn("canary", first, { imageID: "x", state: { running: {} } });
    const second = await canaryIn("canary", first);
    const names = [first, second].map(({ spec }) => spec.imagePullSecrets?.map(({ name }) => name));
    expect(names).toContainEqual(["by-account"]);
    await reportOn("canary", second, { imageID: "x", state: { running: {} } });
    expect((await byAccount).code).toBe(0);
  },
  120_000,
);

withCluster(
  "who may not make pods is told the right that is missing",
  async () => {
    await kube.cluster.addNamespace("no-pods");
    configure('{ to: kubernetes, at: "k8s://test", namespaces: [no-pods], logins: [a] }');
    await apply();
    await kube.cluster.mustKubectl(["create", "serviceaccount", "robot", "-n", "no-pods"]);
    const rbac = await wharf(["kube", "rbac", "--service-account", "no-pods/robot"]);
    await kube.cluster.mustKubectl(["apply", "-f", "-"], { input: rbac.out });
    kube.env["KUBECONFIG"] = await kube.cluster.serviceAccountConfig("no-pods", "robot");
    const denied = await wharf(["check", "--offline", "--from-target", "--image", "a.example/tiny:1"]);
    expect(denied.code).toBe(3);
    expect(denied.out).toContain("create, get and delete of pods in no-pods");
  },
  60_000,
);

interface CanaryShape {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly imagePullSecrets?: readonly { readonly name: string }[] };
}

async function podsIn(namespace: string): Promise<readonly CanaryShape[]> {
  const answer = await kube.cluster.request("GET", `/api/v1/namespaces/${namespace}/pods`);
  return ((await answer.json()) as { readonly items: readonly CanaryShape[] }).items;
}

/** The next canary pod, as soon as it is there. */
async function canaryIn(namespace: string, after?: CanaryShape): Promise<CanaryShape> {
  return await until(
    "a canary pod",
    async () => (await podsIn(namespace)).find(({ metadata }) => metadata.name !== after?.metadata.name),
    60_000,
  );
}

/** What a kubelet would say of its one container. */
async function reportOn(namespace: string, pod: CanaryShape, status: object): Promise<void> {
  const container = { name: "canary", image: "x", ready: false, restartCount: 0, ...status };
  const answer = await kube.cluster.request(
    "PATCH",
    `/api/v1/namespaces/${namespace}/pods/${pod.metadata.name}/status`,
    { status: { containerStatuses: [container] } },
    "application/merge-patch+json",
  );
  expect(answer.status).toBe(200);
}

interface Why {
  readonly answers: readonly [
    {
      readonly place: string;
      readonly kind: string;
      readonly login: string | null;
      readonly key: string | null;
      readonly file: string | null;
      readonly username: string | null;
      readonly shadows: readonly string[];
      readonly why: string | null;
      readonly advice: string | null;
    },
  ];
}

async function why(image: string, ...args: readonly string[]): Promise<Why["answers"][0]> {
  const result = await wharf(["why", image, "--offline", "--json", "--at", "k8s://test", ...args]);
  expect([result.code, result.err]).toEqual([0, ""]);
  return (JSON.parse(result.out) as Why).answers[0];
}

withCluster("why tells what a pod of a ServiceAccount would send, and in which order", async () => {
  await kube.cluster.addNamespace("why");
  await kube.cluster.mustKubectl(["create", "serviceaccount", "builder", "-n", "why"]);
  configure(
    '{ to: kubernetes, at: "k8s://test", namespaces: [why], service-accounts: [default], logins: [a, b] }',
  );
  await apply();
  expect(await why("a.example/x/y:1", "-n", "why")).toMatchObject({
    place: "k8s://test (ServiceAccount why/default)",
    kind: "login",
    login: "a",
    key: "a.example",
    file: "/namespaces/why/secrets/regcred",
    username: "robot-a",
  });
  expect((await why("c.example/x:1", "-n", "why")).why).toBe("no entry fits c.example/x");
  const builder = await why("a.example/x/y:1", "-n", "why", "--service-account", "builder");
  expect(builder.kind).toBe("anonymous");
  expect(builder.why).toContain("ServiceAccount why/builder names no pull secrets");
  expect(builder.why).toContain("the Secret regcred, which wharf delivered there, is not among those");

  // A longer key of another Secret comes first, whatever the order of the Secrets; one that is not there is passed over.
  await kube.cluster.mustKubectl([
    "create",
    "secret",
    "docker-registry",
    "longer",
    "-n",
    "why",
    "--docker-server=a.example/x",
    "--docker-username=somebody",
    `--docker-password=${crypto.randomUUID()}`,
  ]);
  const account = JSON.stringify({
    imagePullSecrets: [{ name: "regcred" }, { name: "gone" }, { name: "longer" }],
  });
  await kube.cluster.mustKubectl(["patch", "serviceaccount", "default", "-n", "why", "-p", account]);
  const both = await why("a.example/x/y:1", "-n", "why");
  expect([both.username, both.file]).toEqual(["somebody", "/namespaces/why/secrets/longer"]);
  expect(both.shadows).toEqual([
    "a.example of /namespaces/why/secrets/regcred is tried next",
    "ServiceAccount why/default names the Secret gone, which is not there: it is passed over",
  ]);
  expect((await why("a.example/other:1", "-n", "why")).username).toBe("robot-a");

  // A pod has what its ServiceAccount had when it was made.
  const pod = {
    metadata: { name: "old" },
    spec: { containers: [{ name: "c", image: "a.example/x:1" }], imagePullSecrets: [{ name: "regcred" }] },
  };
  expect((await kube.cluster.request("POST", "/api/v1/namespaces/why/pods", pod)).status).toBe(201);
  expect((await why("a.example/x/y:1", "-n", "why", "--pod", "old")).username).toBe("robot-a");

  // One Secret that cannot be read fails every pull.
  await kube.cluster.mustKubectl([
    "create",
    "secret",
    "generic",
    "gone",
    "-n",
    "why",
    "--type=kubernetes.io/dockerconfigjson",
    `--from-literal=.dockerconfigjson=${JSON.stringify({ auths: { "z.example": { auth: base64("nocolon") } } })}`,
  ]);
  const broken = await why("a.example/x/y:1", "-n", "why");
  expect([broken.kind, broken.file]).toEqual(["broken", "/namespaces/why/secrets/gone"]);
  expect(broken.why).toContain("every pull of the pod fails");
  const nobody = await wharf(["why", "a.example/x", "--offline", "--at", "k8s://test", "-n", "nowhere"]);
  expect([nobody.code, nobody.err]).toEqual([
    1,
    expect.stringContaining("/namespaces/nowhere/serviceaccounts/default: it is not there"),
  ]);
});
