/** Delivery into a real Kubernetes API: what is written, how often, and what is left alone. */
import { expect } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { useKubeDelivery } from "./support/use-kube-delivery.ts";

const kube = useKubeDelivery("kube");
const { wharf, configure, apply, secretIn, authsIn, pullSecretsOf, countWrites, withCluster } = kube;
const base64 = (text: string): string => Buffer.from(text).toString("base64");

withCluster("the first apply makes Secrets and references, the second writes nothing", async () => {
  await kube.cluster.addNamespace("first-a");
  await kube.cluster.addNamespace("first-b");
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
      "a.example": { auth: base64(`robot-a:${kube.env["PASS_A"]}`) },
      "b.example/team/": { auth: base64(`robot-b:${kube.env["PASS_B"]}`) },
    });
    expect(await pullSecretsOf(namespace)).toEqual(["regcred"]);
  }
  const before = countWrites();
  await apply();
  expect(countWrites()).toBe(before);
  expect((await wharf(["check", "--offline"])).code).toBe(0);
});

withCluster("a changed secret is written in place, and what somebody changed is mended", async () => {
  await kube.cluster.addNamespace("change");
  configure('{ to: kubernetes, at: "k8s://test", namespaces: [change], logins: [a] }');
  await apply();
  const first = await secretIn("change");
  kube.env["PASS_A"] = crypto.randomUUID();
  await apply();
  const second = await secretIn("change");
  expect(second?.metadata.uid).toBe(first?.metadata.uid ?? "");
  expect(second?.metadata.resourceVersion).not.toBe(first?.metadata.resourceVersion ?? "");
  expect(await authsIn("change")).toEqual({ "a.example": { auth: base64(`robot-a:${kube.env["PASS_A"]}`) } });
  // Somebody's hand.
  await kube.cluster.mustKubectl([
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
  expect(await authsIn("change")).toEqual({ "a.example": { auth: base64(`robot-a:${kube.env["PASS_A"]}`) } });
});

withCluster(
  "20 writers at once, and what somebody else wrote, lose no name of a ServiceAccount",
  async () => {
    await kube.cluster.addNamespace("accounts");
    await kube.cluster.mustKubectl([
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
        const own = `${kube.folder}/${index}`;
        mkdirSync(own, { mode: 0o700 });
        const head =
          'version: 1\nlogins:\n  a: { registry: "a.example", username: robot-a, password: { env: PASS_A } }\n';
        writeFileSync(
          `${own}/wharf.yaml`,
          `${head}deliver:\n  - { to: kubernetes, at: "k8s://test", namespaces: [accounts], name: ${name}, service-accounts: [default] }\n`,
          { mode: 0o600 },
        );
        const result = await wharf(["apply", "--yes"], { cwd: own, env: { ...kube.env, HOME: own } });
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
    await kube.cluster.addNamespace("foreign");
    await kube.cluster.mustKubectl([
      "create",
      "secret",
      "docker-registry",
      "regcred",
      "-n",
      "foreign",
      "--docker-server=theirs.example",
      "--docker-username=somebody",
      `--docker-password=${kube.env["PASS_B"]}`,
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
    for (const namespace of ["odd-type", "odd-fixed", "odd-fine"]) await kube.cluster.addNamespace(namespace);
    const label = { "app.kubernetes.io/managed-by": "wharf" };
    const make = async (namespace: string, object: object): Promise<void> => {
      const answer = await kube.cluster.request("POST", `/api/v1/namespaces/${namespace}/secrets`, {
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
    await kube.cluster.addNamespace("sel-a", { team: "ml" });
    await kube.cluster.addNamespace("sel-b", { team: "ml" });
    await kube.cluster.addNamespace("sel-c", { team: "web" });
    configure(
      '{ to: kubernetes, at: "k8s://test", namespaces: { selector: "team=ml" }, service-accounts: [default], logins: [a] }',
    );
    await apply();
    expect([await secretIn("sel-a"), await secretIn("sel-b")].map((found) => found !== undefined)).toEqual([
      true,
      true,
    ]);
    expect(await secretIn("sel-c")).toBeUndefined();
    await kube.cluster.mustKubectl(["label", "namespace", "sel-b", "team=web", "--overwrite"]);
    await kube.cluster.mustKubectl(["label", "namespace", "sel-c", "team=ml", "--overwrite"]);
    await apply();
    expect(await secretIn("sel-b")).toBeUndefined();
    expect(await pullSecretsOf("sel-b")).toEqual([]);
    expect(await pullSecretsOf("sel-c")).toEqual(["regcred"]);
    // A namespace that is gone is no fault.
    await kube.cluster.mustKubectl(["delete", "namespace", "sel-a", "--wait", "--timeout=60s"]);
    await apply();
    const state = readFileSync(`${kube.folder}/wharf.state`, "utf8");
    expect(state).not.toContain("sel-a");
    configure();
    await apply();
    expect(await secretIn("sel-c")).toBeUndefined();
    expect(await pullSecretsOf("sel-c")).toEqual([]);
  },
  120_000,
);

withCluster("revoke takes the copies out, and the references to a Secret that goes with them", async () => {
  await kube.cluster.addNamespace("revoke");
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

withCluster(
  "what is rendered for GitOps is taken by a server-side apply, kustomization and all",
  async () => {
    await kube.cluster.addNamespace("gitops-a");
    await kube.cluster.addNamespace("gitops-b");
    mkdirSync(`${kube.folder}/out`, { mode: 0o700 });
    configure(
      "{ to: kubernetes, at: folder:out, namespaces: [gitops-a, gitops-b], service-accounts: [default], kustomization: true, logins: [a, b] }",
    );
    await apply();
    await kube.cluster.mustKubectl(["apply", "--server-side", "-k", `${kube.folder}/out`]);
    for (const namespace of ["gitops-a", "gitops-b"]) {
      expect(Object.keys(await authsIn(namespace))).toEqual(["a.example", "b.example/team/"]);
      expect(await pullSecretsOf(namespace)).toEqual(["regcred"]);
    }
    // Somebody else owns the list in another namespace: a conflict, and nothing lost.
    await kube.cluster.addNamespace("gitops-c");
    const list = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default" } };
    const theirs = await kube.cluster.request(
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
    const refused = await kube.cluster.kubectl([
      "apply",
      "--server-side",
      "-f",
      `${kube.folder}/out/gitops-c`,
    ]);
    expect(refused.code).not.toBe(0);
    expect(refused.err).toContain("conflict");
    expect(await pullSecretsOf("gitops-c")).toEqual(["theirs"]);
  },
);

withCluster(
  "a login's secret comes from a Secret of a cluster, by its registry and username or by a key",
  async () => {
    await kube.cluster.addNamespace("source");
    const [inConfig, byKey] = [crypto.randomUUID(), crypto.randomUUID()];
    const config = { auths: { "a.example": { auth: base64(`robot-a:${inConfig}`) } } };
    const made = await kube.cluster.request("POST", "/api/v1/namespaces/source/secrets", {
      metadata: { name: "theirs" },
      type: "kubernetes.io/dockerconfigjson",
      stringData: { ".dockerconfigjson": JSON.stringify(config), other: byKey },
    });
    expect(made.status).toBe(201);
    const write = (more: string, username = "robot-a"): void =>
      writeFileSync(
        `${kube.folder}/wharf.yaml`,
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
