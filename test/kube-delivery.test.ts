/** Delivery into a real Kubernetes API: what is written, by whom, how often, and what is left alone. */
import { afterAll, beforeAll, beforeEach, expect } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { type KubeCluster, startKubeCluster } from "./support/kube-cluster.ts";
import { findProgram, needs, programPath } from "./support/programs.ts";
import { type CliOptions, type CliResult, runCli } from "./support/run-cli.ts";
import { createScratch, type Scratch } from "./support/scratch.ts";
import { until } from "./support/until.ts";

const withCluster = needs("kube", "openssl");
let scratch: Scratch;
let cluster: KubeCluster;
let tests = 0;
let folder: string;
let env: Record<string, string>;

beforeAll(async () => {
  if (findProgram("kube") === undefined || findProgram("openssl") === undefined) return;
  scratch = createScratch("kube");
  cluster = await startKubeCluster(scratch);
}, 300_000);

afterAll(async () => {
  await cluster?.stop();
  scratch?.remove();
}, 60_000);

beforeEach(() => {
  if (cluster === undefined) return;
  folder = scratch.at(`run${++tests}`);
  mkdirSync(folder, { mode: 0o700 });
  env = {
    HOME: folder,
    PATH: process.env["PATH"] ?? "",
    KUBECONFIG: cluster.adminConfig,
    XDG_RUNTIME_DIR: folder,
    PASS_A: crypto.randomUUID(),
    PASS_B: crypto.randomUUID(),
  };
});

const wharf = (args: readonly string[], more: CliOptions = {}): Promise<CliResult> =>
  runCli(args, { env, cwd: folder, ...more });

/** wharf.yaml with two logins and these deliveries. */
function configure(...deliveries: readonly string[]): void {
  const lines = [
    "version: 1",
    "logins:",
    '  a: { registry: "a.example", username: robot-a, password: { env: PASS_A } }',
    '  b: { registry: "b.example/team", username: robot-b, password: { env: PASS_B } }',
    "deliver:",
    ...deliveries.map((delivery) => `  - ${delivery}`),
  ];
  writeFileSync(`${folder}/wharf.yaml`, `${lines.join("\n")}\n`, { mode: 0o600 });
}

async function apply(code = 0): Promise<CliResult> {
  const result = await wharf(["apply", "--yes"]);
  if (result.code !== code) throw new Error(`apply ended with ${result.code}\n${result.out}${result.err}`);
  return result;
}

interface SecretShape {
  readonly metadata: {
    readonly uid: string;
    readonly resourceVersion: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly managedFields: readonly { readonly manager: string; readonly operation: string }[];
  };
  readonly type: string;
  readonly data: Readonly<Record<string, string>>;
}

async function secretIn(namespace: string, name = "regcred"): Promise<SecretShape | undefined> {
  const answer = await cluster.request("GET", `/api/v1/namespaces/${namespace}/secrets/${name}`);
  if (answer.status === 404) return undefined;
  expect(answer.status).toBe(200);
  return (await answer.json()) as SecretShape;
}

async function authsIn(
  namespace: string,
  name = "regcred",
): Promise<Record<string, { readonly auth: string }>> {
  const secret = await secretIn(namespace, name);
  const text = Buffer.from(secret?.data[".dockerconfigjson"] ?? "", "base64").toString();
  return (JSON.parse(text) as { readonly auths: Record<string, { readonly auth: string }> }).auths;
}

async function pullSecretsOf(namespace: string, account = "default"): Promise<readonly string[]> {
  const answer = await cluster.request("GET", `/api/v1/namespaces/${namespace}/serviceaccounts/${account}`);
  const { imagePullSecrets = [] } = (await answer.json()) as {
    readonly imagePullSecrets?: readonly { readonly name: string }[];
  };
  return imagePullSecrets.map(({ name }) => name);
}

const writes = (): number =>
  cluster.audit().filter(({ verb }) => ["create", "update", "patch", "delete"].includes(verb)).length;
const base64 = (text: string): string => Buffer.from(text).toString("base64");

withCluster("the first apply makes Secrets and references, the second writes nothing", async () => {
  await cluster.addNamespace("first-a");
  await cluster.addNamespace("first-b");
  configure(
    '{ to: kubernetes, at: "k8s://test", namespaces: [first-a, first-b], service-accounts: [default], logins: [a, b] }',
  );
  await apply();
  for (const namespace of ["first-a", "first-b"]) {
    const secret = await secretIn(namespace);
    expect(secret?.type).toBe("kubernetes.io/dockerconfigjson");
    expect(secret?.metadata.labels).toEqual({ "app.kubernetes.io/managed-by": "wharf" });
    expect(secret?.metadata.managedFields.map(({ manager, operation }) => [manager, operation])).toEqual([
      ["wharf", "Apply"],
    ]);
    expect(await authsIn(namespace)).toEqual({
      "a.example": { auth: base64(`robot-a:${env["PASS_A"]}`) },
      "b.example/team/": { auth: base64(`robot-b:${env["PASS_B"]}`) },
    });
    expect(await pullSecretsOf(namespace)).toEqual(["regcred"]);
  }
  const before = writes();
  await apply();
  expect(writes()).toBe(before);
  expect((await wharf(["check", "--offline"])).code).toBe(0);
});

withCluster("a changed secret is written in place, and what somebody changed is mended", async () => {
  await cluster.addNamespace("change");
  configure('{ to: kubernetes, at: "k8s://test", namespaces: [change], logins: [a] }');
  await apply();
  const first = await secretIn("change");
  env["PASS_A"] = crypto.randomUUID();
  await apply();
  const second = await secretIn("change");
  expect(second?.metadata.uid).toBe(first?.metadata.uid ?? "");
  expect(second?.metadata.resourceVersion).not.toBe(first?.metadata.resourceVersion ?? "");
  expect(await authsIn("change")).toEqual({ "a.example": { auth: base64(`robot-a:${env["PASS_A"]}`) } });
  // Somebody's hand.
  await cluster.mustKubectl([
    "patch",
    "secret",
    "regcred",
    "-n",
    "change",
    "-p",
    JSON.stringify({
      data: {
        ".dockerconfigjson": base64(JSON.stringify({ auths: { "a.example": { auth: base64("x:y") } } })),
      },
    }),
  ]);
  const seen = await wharf(["check", "--offline", "--json"]);
  expect(seen.code).toBe(3);
  expect(seen.out).toContain("changed there");
  await apply();
  expect(await authsIn("change")).toEqual({ "a.example": { auth: base64(`robot-a:${env["PASS_A"]}`) } });
});

withCluster(
  "20 writers at once, and what somebody else wrote, lose no name of a ServiceAccount",
  async () => {
    await cluster.addNamespace("accounts");
    await cluster.mustKubectl([
      "patch",
      "serviceaccount",
      "default",
      "-n",
      "accounts",
      "-p",
      JSON.stringify({ imagePullSecrets: [{ name: "theirs" }] }),
    ]);
    const names = Array.from({ length: 20 }, (_, index) => `pull-${index}`);
    await Promise.all(
      names.map(async (name, index) => {
        const own = `${folder}/${index}`;
        mkdirSync(own, { mode: 0o700 });
        const head =
          'version: 1\nlogins:\n  a: { registry: "a.example", username: robot-a, password: { env: PASS_A } }\n';
        writeFileSync(
          `${own}/wharf.yaml`,
          `${head}deliver:\n  - { to: kubernetes, at: "k8s://test", namespaces: [accounts], name: ${name}, service-accounts: [default] }\n`,
          { mode: 0o600 },
        );
        const result = await wharf(["apply", "--yes"], { cwd: own, env: { ...env, HOME: own } });
        expect([result.code, result.err]).toEqual([0, expect.any(String)]);
      }),
    );
    const found = await pullSecretsOf("accounts");
    expect(found[0]).toBe("theirs");
    expect([...found].sort()).toEqual(["theirs", ...names].sort());
  },
);

withCluster(
  "another's Secret is refused, told whose it is, and taken over only when that is said",
  async () => {
    await cluster.addNamespace("foreign");
    await cluster.mustKubectl([
      "create",
      "secret",
      "docker-registry",
      "regcred",
      "-n",
      "foreign",
      "--docker-server=theirs.example",
      "--docker-username=somebody",
      `--docker-password=${env["PASS_B"]}`,
    ]);
    const before = await secretIn("foreign");
    configure('{ to: kubernetes, at: "k8s://test", namespaces: [foreign], logins: [a] }');
    const refused = await apply(3);
    expect(refused.out + refused.err).toContain("is there and was not made by wharf");
    expect(await secretIn("foreign")).toEqual(before);
    configure('{ to: kubernetes, at: "k8s://test", namespaces: [foreign], take-over: true, logins: [a] }');
    await apply();
    expect(Object.keys(await authsIn("foreign")).sort()).toEqual(["a.example", "theirs.example"]);
    expect((await secretIn("foreign"))?.metadata.uid).toBe(before?.metadata.uid ?? "");
    // What left wharf.yaml goes, and theirs stays.
    configure();
    await apply();
    expect(Object.keys(await authsIn("foreign"))).toEqual(["theirs.example"]);
  },
);

withCluster(
  "a Secret of another type, an immutable one and a missing namespace are told in words",
  async () => {
    for (const namespace of ["odd-type", "odd-fixed", "odd-fine"]) await cluster.addNamespace(namespace);
    const label = { "app.kubernetes.io/managed-by": "wharf" };
    const make = async (namespace: string, object: object): Promise<void> => {
      const answer = await cluster.request("POST", `/api/v1/namespaces/${namespace}/secrets`, {
        metadata: { name: "regcred", labels: label },
        ...object,
      });
      expect(answer.status).toBe(201);
    };
    await make("odd-type", { type: "Opaque", stringData: { x: "y" } });
    await make("odd-fixed", {
      type: "kubernetes.io/dockerconfigjson",
      immutable: true,
      stringData: { ".dockerconfigjson": "{}" },
    });
    configure(
      '{ to: kubernetes, at: "k8s://test", namespaces: [odd-type, odd-fixed, odd-missing, odd-fine], service-accounts: [builder], logins: [a] }',
    );
    const { out, err } = await apply(3);
    expect(err + out).toContain("is there with type Opaque, and a Secret's type cannot be changed");
    expect(err + out).toContain("/namespaces/odd-fixed/secrets/regcred is immutable");
    expect(err + out).toContain("/namespaces/odd-missing/secrets/regcred: there is no such namespace");
    expect(err + out).toContain("namespace odd-fine has no ServiceAccount builder");
    expect(Object.keys(await authsIn("odd-fine"))).toEqual(["a.example"]);
  },
);

withCluster(
  "a selector finds its namespaces, and one that left is pruned, with the reference",
  async () => {
    await cluster.addNamespace("sel-a", { team: "ml" });
    await cluster.addNamespace("sel-b", { team: "ml" });
    await cluster.addNamespace("sel-c", { team: "web" });
    configure(
      '{ to: kubernetes, at: "k8s://test", namespaces: { selector: "team=ml" }, service-accounts: [default], logins: [a] }',
    );
    await apply();
    expect([await secretIn("sel-a"), await secretIn("sel-b")].map((found) => found !== undefined)).toEqual([
      true,
      true,
    ]);
    expect(await secretIn("sel-c")).toBeUndefined();
    await cluster.mustKubectl(["label", "namespace", "sel-b", "team=web", "--overwrite"]);
    await cluster.mustKubectl(["label", "namespace", "sel-c", "team=ml", "--overwrite"]);
    await apply();
    expect(await secretIn("sel-b")).toBeUndefined();
    expect(await pullSecretsOf("sel-b")).toEqual([]);
    expect(await pullSecretsOf("sel-c")).toEqual(["regcred"]);
    // A namespace that is gone is no fault.
    await cluster.mustKubectl(["delete", "namespace", "sel-a", "--wait", "--timeout=60s"]);
    await apply();
    const state = readFileSync(`${folder}/wharf.state`, "utf8");
    expect(state).not.toContain("sel-a");
    configure();
    await apply();
    expect(await secretIn("sel-c")).toBeUndefined();
    expect(await pullSecretsOf("sel-c")).toEqual([]);
  },
  120_000,
);

withCluster("revoke takes the copies out, and the references to a Secret that goes with them", async () => {
  await cluster.addNamespace("revoke");
  configure(
    '{ to: kubernetes, at: "k8s://test", namespaces: [revoke], service-accounts: [default], logins: [a, b] }',
  );
  await apply();
  expect((await wharf(["revoke", "a"])).code).toBe(0);
  expect(Object.keys(await authsIn("revoke"))).toEqual(["b.example/team/"]);
  expect(await pullSecretsOf("revoke")).toEqual(["regcred"]);
  expect((await wharf(["revoke", "b"])).code).toBe(0);
  expect(await secretIn("revoke")).toBeUndefined();
  expect(await pullSecretsOf("revoke")).toEqual([]);
});

/** Makes a ServiceAccount, gives it the roles that wharf prints, and works as it from now on. */
async function workAsRobot(namespace: string): Promise<string> {
  await cluster.mustKubectl(["create", "serviceaccount", "wharf", "-n", namespace]);
  const printed = await wharf(["kube", "rbac", "--service-account", `${namespace}/wharf`]);
  expect([printed.code, printed.err]).toEqual([0, ""]);
  const config = await cluster.serviceAccountConfig(namespace, "wharf");
  env["KUBECONFIG"] = config;
  const refused = await apply(3);
  expect(refused.out + refused.err).toContain('User "system:serviceaccount');
  expect(refused.out + refused.err).toContain("`wharf kube rbac` prints the roles");
  await cluster.mustKubectl(["apply", "-f", "-"], { input: printed.out });
  return config;
}

async function mayI(config: string, ...question: readonly string[]): Promise<boolean> {
  const { out } = await cluster.kubectl(["auth", "can-i", ...question], { config });
  return out.trim() === "yes";
}

withCluster(
  "the printed roles are enough for named namespaces, and no more",
  async () => {
    for (const name of ["rbac-a", "rbac-b", "rbac-c"]) await cluster.addNamespace(name);
    configure(
      '{ to: kubernetes, at: "k8s://test", namespaces: [rbac-a, rbac-b], service-accounts: [default], logins: [a, b] }',
    );
    const config = await workAsRobot("rbac-a");
    await apply();
    expect(await pullSecretsOf("rbac-b")).toEqual(["regcred"]);
    env["PASS_A"] = crypto.randomUUID();
    await apply();
    expect((await authsIn("rbac-b"))["a.example"]?.auth).toBe(base64(`robot-a:${env["PASS_A"]}`));
    expect((await wharf(["check", "--offline"])).code).toBe(0);
    const no: readonly (readonly string[])[] = [
      ["list", "secrets", "-n", "rbac-a"],
      ["list", "secrets", "-A"],
      ["watch", "secrets", "-A"],
      ["get", "secret/other", "-n", "rbac-a"],
      ["create", "secret/other", "-n", "rbac-a"],
      ["get", "secret/regcred", "-n", "rbac-c"],
      ["delete", "serviceaccount/default", "-n", "rbac-a"],
      ["create", "serviceaccounts", "-n", "rbac-a"],
      ["list", "namespaces"],
    ];
    for (const question of no)
      expect([question.join(" "), await mayI(config, ...question)]).toEqual([question.join(" "), false]);
    // Pruned by the roles of before.
    configure();
    await apply();
    expect([await secretIn("rbac-a"), await pullSecretsOf("rbac-b")]).toEqual([undefined, []]);
  },
  60_000,
);

withCluster(
  "with a selector the roles list one name of Secrets, never all of them",
  async () => {
    const names = Array.from({ length: 10 }, (_, index) => `rbac-sel-${index}`);
    for (const name of names) await cluster.addNamespace(name, { rbac: "selected" });
    configure(
      '{ to: kubernetes, at: "k8s://test", namespaces: { selector: "rbac=selected" }, service-accounts: [default], logins: [a] }',
    );
    const config = await workAsRobot("rbac-sel-0");
    await apply();
    const before = cluster.audit().length;
    env["PASS_A"] = crypto.randomUUID();
    await apply();
    const asked = cluster.audit().slice(before);
    expect(asked.filter(({ code }) => code >= 400).map(({ uri }) => uri)).toEqual([]);
    // Namespaces once; each name once for the plan, and once more what is written. What is as it should be is left alone.
    expect(
      asked
        .filter(({ verb }) => verb === "list")
        .map(({ resource = "" }) => resource)
        .sort(),
    ).toEqual(["namespaces", "secrets", "secrets", "serviceaccounts"]);
    expect(asked.filter(({ verb }) => verb === "patch").length).toBe(10);
    for (const question of [
      ["list", "secrets", "-A"],
      ["get", "secret/other", "-n", "rbac-sel-1"],
      ["create", "namespaces"],
    ])
      expect([question.join(" "), await mayI(config, ...question)]).toEqual([question.join(" "), false]);
  },
  60_000,
);

withCluster(
  "a credential plugin of the kubeconfig signs in, and no secret is in its arguments or environment",
  async () => {
    await cluster.addNamespace("plugin");
    await cluster.mustKubectl(["create", "serviceaccount", "robot", "-n", "plugin"]);
    await cluster.mustKubectl([
      "create",
      "rolebinding",
      "robot",
      "--clusterrole=cluster-admin",
      "--serviceaccount=plugin:robot",
      "-n",
      "plugin",
    ]);
    const token = (await cluster.mustKubectl(["create", "token", "robot", "-n", "plugin"])).trim();
    writeFileSync(`${folder}/token`, token, { mode: 0o600 });
    writeFileSync(
      `${folder}/plugin`,
      `#!/bin/sh
echo "$KUBERNETES_EXEC_INFO" >> "${folder}/asked"
env > "${folder}/environment"
printf '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"%s"}}' "$(cat "${folder}/token")"
`,
      { mode: 0o700 },
    );
    const config = readFileSync(cluster.adminConfig, "utf8").replace(
      /token: .*/,
      "exec: { apiVersion: client.authentication.k8s.io/v1, command: ./plugin, interactiveMode: IfAvailable, provideClusterInfo: true }",
    );
    writeFileSync(`${folder}/config`, config, { mode: 0o600 });
    env["KUBECONFIG"] = `${folder}/not-there:${folder}/config`;
    configure('{ to: kubernetes, at: "k8s://test", namespaces: [plugin], logins: [a] }');
    // The login's secret is in a file here: an environment is handed on.
    writeFileSync(`${folder}/secret`, crypto.randomUUID(), { mode: 0o600 });
    writeFileSync(
      `${folder}/wharf.yaml`,
      readFileSync(`${folder}/wharf.yaml`, "utf8").replace("{ env: PASS_A }", "{ file: secret }"),
    );
    await apply();
    expect(Object.keys(await authsIn("plugin"))).toEqual(["a.example"]);
    const [first] = readFileSync(`${folder}/asked`, "utf8").trim().split("\n");
    expect(JSON.parse(first ?? "")).toMatchObject({
      apiVersion: "client.authentication.k8s.io/v1",
      spec: { interactive: false, cluster: { server: cluster.server } },
    });
    expect(readFileSync(`${folder}/environment`, "utf8")).not.toContain(
      readFileSync(`${folder}/secret`, "utf8"),
    );
    // What it gives is not taken: it is asked once more, then told in words.
    writeFileSync(`${folder}/token`, "nothing", { mode: 0o600 });
    const refused = await apply(3);
    expect(refused.out + refused.err).toContain("the API server does not know this login");
  },
  60_000,
);

withCluster(
  "Run:ai's Secrets lie in its own namespace with its labels, wherever the context stands",
  async () => {
    await cluster.addNamespace("runai");
    configure('{ to: runai, at: "k8s://test", scope: cluster, name: site-registries, logins: [a] }');
    await apply();
    expect((await secretIn("runai", "site-registries"))?.metadata.labels).toMatchObject({
      "run.ai/resource": "docker-registry",
      "run.ai/cluster-wide": "true",
    });
    const before = writes();
    await apply();
    expect(writes()).toBe(before);
    configure();
    await apply();
    expect(await secretIn("runai", "site-registries")).toBeUndefined();
  },
);

withCluster(
  "Run:ai's setting clusterWideSecret is looked at: off is refused, on needs no word, unknown is said",
  async () => {
    const namespace = "runai";
    if ((await cluster.request("GET", `/api/v1/namespaces/${namespace}`)).status === 404)
      await cluster.addNamespace(namespace);
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
      async () => (await cluster.request("POST", settings, config(false))).status === 201 || undefined,
      60_000,
    );
    const refused = await wharf(["apply", "--yes"]);
    expect(refused.code).toBe(3);
    expect(refused.out + refused.err).toContain("clusterWideSecret is off");
    expect(refused.out + refused.err).toContain("scope: project");
    expect(await secretIn(namespace, "looked-at")).toBeUndefined();
    const answer = await cluster.request(
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
    await cluster.addNamespace("runai-vision");
    const account = "/api/v1/namespaces/runai-vision/serviceaccounts/default";
    await cluster.request(
      "PATCH",
      account,
      { imagePullSecrets: [{ name: "theirs" }] },
      "application/merge-patch+json",
    );
    configure('{ to: runai, at: "k8s://test", scope: project, projects: [vision], logins: [a] }');
    await apply();
    expect(await pullSecretsOf("runai-vision")).toEqual(["theirs", "regcred"]);
    expect((await secretIn("runai-vision"))?.metadata.labels).toMatchObject({ "run.ai/credentials": "true" });
    const before = writes();
    await apply();
    expect(writes()).toBe(before);
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
    await cluster.addNamespace("queue-nlp", { "runai/queue": "nlp" });
    await cluster.addNamespace("queue-none");
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
    await cluster.addNamespace("runai-reader");
    if ((await cluster.request("GET", "/api/v1/namespaces/runai")).status === 404)
      await cluster.addNamespace("runai");
    await cluster.mustKubectl(["create", "serviceaccount", "robot", "-n", "runai-reader"]);
    // The same Secret as a department's: rights to it, and none to Run:ai's own settings.
    configure('{ to: runai, at: "k8s://test", scope: department, department: "7", name: seen, logins: [a] }');
    const rbac = await wharf(["kube", "rbac", "--service-account", "runai-reader/robot"]);
    await cluster.mustKubectl(["apply", "-f", "-"], { input: rbac.out });
    env["KUBECONFIG"] = await cluster.serviceAccountConfig("runai-reader", "robot");
    configure('{ to: runai, at: "k8s://test", scope: cluster, name: seen, logins: [a] }');
    const planned = await wharf(["plan"]);
    expect(planned.out + planned.err).toContain("clusterWideSecret is on");
    expect(planned.out + planned.err).not.toContain("failed");
  },
  60_000,
);

withCluster(
  "what is rendered for GitOps is taken by a server-side apply, kustomization and all",
  async () => {
    await cluster.addNamespace("gitops-a");
    await cluster.addNamespace("gitops-b");
    mkdirSync(`${folder}/out`, { mode: 0o700 });
    configure(
      "{ to: kubernetes, at: folder:out, namespaces: [gitops-a, gitops-b], service-accounts: [default], kustomization: true, logins: [a, b] }",
    );
    await apply();
    await cluster.mustKubectl(["apply", "--server-side", "-k", `${folder}/out`]);
    for (const namespace of ["gitops-a", "gitops-b"]) {
      expect(Object.keys(await authsIn(namespace))).toEqual(["a.example", "b.example/team/"]);
      expect(await pullSecretsOf(namespace)).toEqual(["regcred"]);
    }
    // Somebody else owns the list in another namespace: a conflict, and nothing lost.
    await cluster.addNamespace("gitops-c");
    const list = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default" } };
    const theirs = await cluster.request(
      "PATCH",
      "/api/v1/namespaces/gitops-c/serviceaccounts/default?fieldManager=theirs",
      { ...list, imagePullSecrets: [{ name: "theirs" }] },
      "application/apply-patch+yaml",
    );
    expect(theirs.status).toBe(200);
    configure(
      "{ to: kubernetes, at: folder:out, namespaces: [gitops-c], service-accounts: [default], logins: [a] }",
    );
    await apply();
    const refused = await cluster.kubectl(["apply", "--server-side", "-f", `${folder}/out/gitops-c`]);
    expect(refused.code).not.toBe(0);
    expect(refused.err).toContain("conflict");
    expect(await pullSecretsOf("gitops-c")).toEqual(["theirs"]);
  },
);

withCluster(
  "check --from-target has a pod pull the named image, reads how that went, and takes it away",
  async () => {
    // The strictest that a namespace may ask for.
    const strict = { "pod-security.kubernetes.io/enforce": "restricted" };
    await cluster.addNamespace("canary", strict);
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
    await cluster.addNamespace("no-pods");
    configure('{ to: kubernetes, at: "k8s://test", namespaces: [no-pods], logins: [a] }');
    await apply();
    await cluster.mustKubectl(["create", "serviceaccount", "robot", "-n", "no-pods"]);
    const rbac = await wharf(["kube", "rbac", "--service-account", "no-pods/robot"]);
    await cluster.mustKubectl(["apply", "-f", "-"], { input: rbac.out });
    env["KUBECONFIG"] = await cluster.serviceAccountConfig("no-pods", "robot");
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
  const answer = await cluster.request("GET", `/api/v1/namespaces/${namespace}/pods`);
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
  const answer = await cluster.request(
    "PATCH",
    `/api/v1/namespaces/${namespace}/pods/${pod.metadata.name}/status`,
    { status: { containerStatuses: [container] } },
    "application/merge-patch+json",
  );
  expect(answer.status).toBe(200);
}

/** A kind of objects that the API server keeps as they come. */
async function addKind(plural: string, kind: string, group: string): Promise<void> {
  const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
  const answer = await cluster.request("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: "Namespaced",
      names: { plural, kind, singular: kind.toLowerCase() },
      versions: [{ name: "v1", served: true, storage: true, schema }],
    },
  });
  expect(answer.status).toBe(201);
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
  await cluster.addNamespace("why");
  await cluster.mustKubectl(["create", "serviceaccount", "builder", "-n", "why"]);
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
  await cluster.mustKubectl([
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
  await cluster.mustKubectl(["patch", "serviceaccount", "default", "-n", "why", "-p", account]);
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
  expect((await cluster.request("POST", "/api/v1/namespaces/why/pods", pod)).status).toBe(201);
  expect((await why("a.example/x/y:1", "-n", "why", "--pod", "old")).username).toBe("robot-a");

  // One Secret that cannot be read fails every pull.
  await cluster.mustKubectl([
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

withCluster(
  "a login's secret comes from a Secret of a cluster, by its registry and username or by a key",
  async () => {
    await cluster.addNamespace("source");
    const [inConfig, byKey] = [crypto.randomUUID(), crypto.randomUUID()];
    const config = { auths: { "a.example": { auth: base64(`robot-a:${inConfig}`) } } };
    const made = await cluster.request("POST", "/api/v1/namespaces/source/secrets", {
      metadata: { name: "theirs" },
      type: "kubernetes.io/dockerconfigjson",
      stringData: { ".dockerconfigjson": JSON.stringify(config), other: byKey },
    });
    expect(made.status).toBe(201);
    const write = (more: string, username = "robot-a"): void =>
      writeFileSync(
        `${folder}/wharf.yaml`,
        `version: 1
logins:
  a: { registry: a.example, username: ${username}, password: { kubernetes: { context: test, namespace: source${more} } } }
deliver:
  - { to: kubernetes, at: "k8s://test", namespaces: [source] }
`,
        { mode: 0o600 },
      );
    write(", name: theirs");
    await apply();
    expect((await authsIn("source"))["a.example"]?.auth).toBe(base64(`robot-a:${inConfig}`));
    write(", name: theirs, key: other");
    await apply();
    expect((await authsIn("source"))["a.example"]?.auth).toBe(base64(`robot-a:${byKey}`));
    for (const [more, username, words] of [
      [", name: gone", "robot-a", "there is no k8s://test/namespaces/source/secrets/gone"],
      [", name: theirs, key: gone", "robot-a", "/namespaces/source/secrets/theirs has no key gone"],
      [", name: theirs", "somebody", "holds no secret of somebody for a.example"],
    ] as const) {
      write(more, username);
      const refused = await apply(3);
      expect(refused.out + refused.err).toContain(words);
      expect(refused.out + refused.err).not.toContain(inConfig);
    }
  },
);

withCluster(
  "a server that is not there, or has another certificate, fails its target alone, in words about it",
  async () => {
    await cluster.addNamespace("faults");
    const admin = readFileSync(cluster.adminConfig, "utf8");
    const subject = ["-nodes", "-keyout", "/dev/null", "-days", "1", "-subj", "/CN=other"];
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
    const out = ["-out", `${folder}/other.crt`];
    const openssl = Bun.spawnSync([programPath("openssl"), "req", "-x509", ...key, ...subject, ...out], {
      stderr: "ignore",
    });
    expect(openssl.exitCode).toBe(0);
    const cases: readonly (readonly [string, string, string])[] = [
      // A port that nothing listens on: the one of a server that has ended.
      [
        admin.replace(/server: .*/, `server: https://127.0.0.1:${await closedPort()}`),
        "the API server 127.0.0.1",
        "check the cluster's server",
      ],
      [
        admin.replace(/certificate-authority: .*/, `certificate-authority: ${folder}/other.crt`),
        "certificate that is not trusted",
        "check certificate-authority",
      ],
      [
        admin.replace(
          /certificate-authority: (.*)/,
          "certificate-authority: $1\n    tls-server-name: other.example",
        ),
        "certificate that is not trusted",
        "tls-server-name",
      ],
      [
        admin.replace(/token: .*/, `token: ${crypto.randomUUID()}`),
        "does not know this login",
        "kubectl get namespaces",
      ],
    ];
    mkdirSync(`${folder}/out`, { mode: 0o700 });
    configure(
      '{ to: kubernetes, at: "k8s://test", namespaces: [faults], logins: [a] }',
      '{ to: docker, at: "folder:out", logins: [a] }',
    );
    env["KUBECONFIG"] = `${folder}/config`;
    for (const [config, words, hint] of cases) {
      writeFileSync(`${folder}/config`, config, { mode: 0o600 });
      const { out, err } = await apply(3);
      expect(out + err).toContain(words);
      expect(out + err).toContain(hint);
      expect(readFileSync(`${folder}/out/.docker/config.json`, "utf8")).toContain("a.example");
    }
    expect(await secretIn("faults")).toBeUndefined();
    // The right name for another address is taken.
    writeFileSync(
      `${folder}/config`,
      admin.replace(
        /certificate-authority: (.*)/,
        "certificate-authority: $1\n    tls-server-name: kubernetes.default.svc",
      ),
      { mode: 0o600 },
    );
    await apply();
    expect(await secretIn("faults")).toBeDefined();
  },
  60_000,
);

async function closedPort(): Promise<number> {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = server;
  server.stop(true);
  return port;
}
