/** Run:ai at a real Kubernetes API: its scopes, their Secrets and lists, and its own setting looked at. */
import { expect } from "bun:test";
import { until } from "./support/until.ts";
import { useKubeDelivery } from "./support/use-kube-delivery.ts";

const kube = useKubeDelivery("runai");
const { wharf, configure, apply, secretIn, pullSecretsOf, countWrites, withCluster } = kube;

withCluster(
  "Run:ai's Secrets lie in its own namespace with its labels, wherever the context stands",
  async () => {
    await kube.cluster.addNamespace("runai");
    configure('{ to: runai, at: "k8s://test", scope: cluster, name: site-registries, logins: [a] }');
    await apply();
    expect((await secretIn("runai", "site-registries"))?.metadata.labels).toMatchObject({
      "run.ai/resource": "docker-registry",
      "run.ai/cluster-wide": "true",
    });
    const before = countWrites();
    await apply();
    expect(countWrites()).toBe(before);
    configure();
    await apply();
    expect(await secretIn("runai", "site-registries")).toBeUndefined();
  },
);

withCluster(
  "Run:ai's setting clusterWideSecret is looked at: off is refused, on needs no word, unknown is said",
  async () => {
    const namespace = "runai";
    if ((await kube.cluster.request("GET", `/api/v1/namespaces/${namespace}`)).status === 404)
      await kube.cluster.addNamespace(namespace);
    const settings = "/apis/run.ai/v1/namespaces/runai/runaiconfigs";
    const configureCluster = (): void =>
      configure('{ to: runai, at: "k8s://test", scope: cluster, name: looked-at, logins: [a] }');
    configureCluster();
    const unknown = await wharf(["plan"]);
    expect(unknown.out + unknown.err).toContain("clusterWideSecret is on");
    await addKind("runaiconfigs", "RunaiConfig", "run.ai");
    const config = (isOn: boolean): object => ({
      apiVersion: "run.ai/v1",
      kind: "RunaiConfig",
      metadata: { name: "runai", namespace },
      spec: { "project-controller": { clusterWideSecret: isOn } },
    });
    await until(
      "the new kind is served",
      async () => (await kube.cluster.request("POST", settings, config(false))).status === 201 || undefined,
      60_000,
    );
    const refused = await wharf(["apply", "--yes"]);
    expect(refused.code).toBe(3);
    expect(refused.out + refused.err).toContain("clusterWideSecret is off");
    expect(refused.out + refused.err).toContain("scope: project");
    expect(await secretIn(namespace, "looked-at")).toBeUndefined();
    const answer = await kube.cluster.request(
      "PATCH",
      `${settings}/runai`,
      config(true),
      "application/merge-patch+json",
    );
    expect(answer.status).toBe(200);
    const done = await apply();
    expect(done.out + done.err).not.toContain("clusterWideSecret");
    expect(await secretIn(namespace, "looked-at")).toBeDefined();
    // The least roles let it be read, and no more.
    const rbac = (await wharf(["kube", "rbac"])).out;
    expect(rbac).toContain('apiGroups: ["run.ai"]');
    expect(rbac).toMatch(/resources: \[runaiconfigs\]\n +resourceNames: \["runai"\]\n +verbs: \[get\]/);
    configure();
    await apply();
  },
  120_000,
);

withCluster(
  "Run:ai by project: the ServiceAccount's list keeps what is in it",
  async () => {
    await kube.cluster.addNamespace("runai-vision");
    const account = "/api/v1/namespaces/runai-vision/serviceaccounts/default";
    await kube.cluster.request(
      "PATCH",
      account,
      { imagePullSecrets: [{ name: "theirs" }] },
      "application/merge-patch+json",
    );
    configure('{ to: runai, at: "k8s://test", scope: project, projects: [vision], logins: [a] }');
    await apply();
    expect(await pullSecretsOf("runai-vision")).toEqual(["theirs", "regcred"]);
    expect((await secretIn("runai-vision"))?.metadata.labels).toMatchObject({ "run.ai/credentials": "true" });
    const before = countWrites();
    await apply();
    expect(countWrites()).toBe(before);
    configure();
    await apply();
    expect(await pullSecretsOf("runai-vision")).toEqual(["theirs"]);
    expect(await secretIn("runai-vision")).toBeUndefined();
  },
  60_000,
);

withCluster(
  "Run:ai, all projects: those namespaces that it has labelled, and no others",
  async () => {
    await kube.cluster.addNamespace("queue-nlp", { "runai/queue": "nlp" });
    await kube.cluster.addNamespace("queue-none");
    configure(
      '{ to: runai, at: "k8s://test", scope: project, projects: all, name: all-of-them, logins: [a] }',
    );
    await apply();
    expect(await pullSecretsOf("queue-nlp")).toEqual(["all-of-them"]);
    expect(await secretIn("queue-nlp", "all-of-them")).toBeDefined();
    expect(await secretIn("queue-none", "all-of-them")).toBeUndefined();
    configure();
    await apply();
    expect(await secretIn("queue-nlp", "all-of-them")).toBeUndefined();
  },
  60_000,
);

withCluster(
  "Run:ai's setting that may not be read is unknown, and no failure",
  async () => {
    await kube.cluster.addNamespace("runai-reader");
    if ((await kube.cluster.request("GET", "/api/v1/namespaces/runai")).status === 404)
      await kube.cluster.addNamespace("runai");
    await kube.cluster.mustKubectl(["create", "serviceaccount", "robot", "-n", "runai-reader"]);
    // The same Secret as a department's: rights to it, and none to Run:ai's own settings.
    configure('{ to: runai, at: "k8s://test", scope: department, department: "7", name: seen, logins: [a] }');
    const rbac = await wharf(["kube", "rbac", "--service-account", "runai-reader/robot"]);
    await kube.cluster.mustKubectl(["apply", "-f", "-"], { input: rbac.out });
    kube.env["KUBECONFIG"] = await kube.cluster.serviceAccountConfig("runai-reader", "robot");
    configure('{ to: runai, at: "k8s://test", scope: cluster, name: seen, logins: [a] }');
    const planned = await wharf(["plan"]);
    expect(planned.out + planned.err).toContain("clusterWideSecret is on");
    expect(planned.out + planned.err).not.toContain("failed");
  },
  60_000,
);

/** A kind of objects that the API server keeps as they come. */
async function addKind(plural: string, kind: string, group: string): Promise<void> {
  const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
  const answer = await kube.cluster.request(
    "POST",
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: `${plural}.${group}` },
      spec: {
        group,
        scope: "Namespaced",
        names: { plural, kind, singular: kind.toLowerCase() },
        versions: [{ name: "v1", served: true, storage: true, schema }],
      },
    },
  );
  expect(answer.status).toBe(201);
}
