/** How wharf signs in to a real Kubernetes API: what its printed roles allow and no more, credential plugins, servers that cannot be asked. */
import { expect } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { programPath } from "./support/programs.ts";
import { useKubeDelivery } from "./support/use-kube-delivery.ts";

const kube = useKubeDelivery("sign-in");
const { wharf, configure, apply, secretIn, authsIn, pullSecretsOf, withCluster } = kube;
const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** Makes a ServiceAccount, gives it the roles that wharf prints, and works as it from now on. */
async function workAsRobot(namespace: string): Promise<string> {
  await kube.cluster.mustKubectl(["create", "serviceaccount", "wharf", "-n", namespace]);
  const printed = await wharf(["kube", "rbac", "--service-account", `${namespace}/wharf`]);
  expect([printed.code, printed.err]).toEqual([0, ""]);
  const config = await kube.cluster.serviceAccountConfig(namespace, "wharf");
  kube.env["KUBECONFIG"] = config;
  const refused = await apply(3);
  expect(refused.out + refused.err).toContain('User "system:serviceaccount');
  expect(refused.out + refused.err).toContain("`wharf kube rbac` prints the roles");
  await kube.cluster.mustKubectl(["apply", "-f", "-"], { input: printed.out });
  return config;
}

async function mayI(config: string, ...question: readonly string[]): Promise<boolean> {
  const { out } = await kube.cluster.kubectl(["auth", "can-i", ...question], { config });
  return out.trim() === "yes";
}

withCluster(
  "the printed roles are enough for named namespaces, and no more",
  async () => {
    for (const name of ["rbac-a", "rbac-b", "rbac-c"]) await kube.cluster.addNamespace(name);
    configure(
      '{ to: kubernetes, at: "k8s://test", namespaces: [rbac-a, rbac-b], service-accounts: [default], logins: [a, b] }',
    );
    const config = await workAsRobot("rbac-a");
    await apply();
    expect(await pullSecretsOf("rbac-b")).toEqual(["regcred"]);
    kube.env["PASS_A"] = crypto.randomUUID();
    await apply();
    expect((await authsIn("rbac-b"))["a.example"]?.auth).toBe(base64(`robot-a:${kube.env["PASS_A"]}`));
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
    for (const name of names) await kube.cluster.addNamespace(name, { rbac: "selected" });
    configure(
      '{ to: kubernetes, at: "k8s://test", namespaces: { selector: "rbac=selected" }, service-accounts: [default], logins: [a] }',
    );
    const config = await workAsRobot("rbac-sel-0");
    await apply();
    const before = kube.cluster.audit().length;
    kube.env["PASS_A"] = crypto.randomUUID();
    await apply();
    const asked = kube.cluster.audit().slice(before);
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
    await kube.cluster.addNamespace("plugin");
    await kube.cluster.mustKubectl(["create", "serviceaccount", "robot", "-n", "plugin"]);
    await kube.cluster.mustKubectl([
      "create",
      "rolebinding",
      "robot",
      "--clusterrole=cluster-admin",
      "--serviceaccount=plugin:robot",
      "-n",
      "plugin",
    ]);
    const token = (await kube.cluster.mustKubectl(["create", "token", "robot", "-n", "plugin"])).trim();
    writeFileSync(`${kube.folder}/token`, token, { mode: 0o600 });
    writeFileSync(
      `${kube.folder}/plugin`,
      `#!/bin/sh
echo "$KUBERNETES_EXEC_INFO" >> "${kube.folder}/asked"
env > "${kube.folder}/environment"
printf '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"%s"}}' "$(cat "${kube.folder}/token")"
`,
      { mode: 0o700 },
    );
    const config = readFileSync(kube.cluster.adminConfig, "utf8").replace(
      /token: .*/,
      "exec: { apiVersion: client.authentication.k8s.io/v1, command: ./plugin, interactiveMode: IfAvailable, provideClusterInfo: true }",
    );
    writeFileSync(`${kube.folder}/config`, config, { mode: 0o600 });
    kube.env["KUBECONFIG"] = `${kube.folder}/not-there:${kube.folder}/config`;
    configure('{ to: kubernetes, at: "k8s://test", namespaces: [plugin], logins: [a] }');
    // The login's secret is in a file here: an environment is handed on.
    writeFileSync(`${kube.folder}/secret`, crypto.randomUUID(), { mode: 0o600 });
    writeFileSync(
      `${kube.folder}/wharf.yaml`,
      readFileSync(`${kube.folder}/wharf.yaml`, "utf8").replace("{ env: PASS_A }", "{ file: secret }"),
    );
    await apply();
    expect(Object.keys(await authsIn("plugin"))).toEqual(["a.example"]);
    const [first] = readFileSync(`${kube.folder}/asked`, "utf8").trim().split("\n");
    expect(JSON.parse(first ?? "")).toMatchObject({
      apiVersion: "client.authentication.k8s.io/v1",
      spec: { interactive: false, cluster: { server: kube.cluster.server } },
    });
    expect(readFileSync(`${kube.folder}/environment`, "utf8")).not.toContain(
      readFileSync(`${kube.folder}/secret`, "utf8"),
    );
    // What it gives is not taken: it is asked once more, then told in words.
    writeFileSync(`${kube.folder}/token`, "nothing", { mode: 0o600 });
    const refused = await apply(3);
    expect(refused.out + refused.err).toContain("the API server does not know this login");
  },
  60_000,
);

withCluster(
  "a server that is not there, or has another certificate, fails its target alone, in words about it",
  async () => {
    await kube.cluster.addNamespace("faults");
    const admin = readFileSync(kube.cluster.adminConfig, "utf8");
    const subject = ["-nodes", "-keyout", "/dev/null", "-days", "1", "-subj", "/CN=other"];
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
    const out = ["-out", `${kube.folder}/other.crt`];
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
        admin.replace(/certificate-authority: .*/, `certificate-authority: ${kube.folder}/other.crt`),
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
    mkdirSync(`${kube.folder}/out`, { mode: 0o700 });
    configure(
      '{ to: kubernetes, at: "k8s://test", namespaces: [faults], logins: [a] }',
      '{ to: docker, at: "folder:out", logins: [a] }',
    );
    kube.env["KUBECONFIG"] = `${kube.folder}/config`;
    for (const [config, words, hint] of cases) {
      writeFileSync(`${kube.folder}/config`, config, { mode: 0o600 });
      const { out, err } = await apply(3);
      expect(out + err).toContain(words);
      expect(out + err).toContain(hint);
      expect(readFileSync(`${kube.folder}/out/.docker/config.json`, "utf8")).toContain("a.example");
    }
    expect(await secretIn("faults")).toBeUndefined();
    // The right name for another address is taken.
    writeFileSync(
      `${kube.folder}/config`,
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
