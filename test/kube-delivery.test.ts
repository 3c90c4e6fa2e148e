/** Delivery into a real Kubernetes API: what is written, by whom, how often, and what is left alone. */
import { afterAll, beforeAll, beforeEach, expect } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { type KubeCluster, startKubeCluster } from "./support/kube-cluster.ts";
import { findProgram, needs } from "./support/programs.ts";
import { type CliOptions, type CliResult, runCli } from "./support/run-cli.ts";
import { createScratch, type Scratch } from "./support/scratch.ts";

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
