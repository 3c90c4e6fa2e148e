/** The cluster that other tests stand on: that it is a real one, and rules as one. */
import { afterAll, beforeAll, expect } from "bun:test";
import { type KubeCluster, startKubeCluster } from "./support/kube-cluster.ts";
import { findProgram, needs } from "./support/programs.ts";
import { createScratch, type Scratch } from "./support/scratch.ts";

const withCluster = needs("kube", "openssl");
let scratch: Scratch;
let cluster: KubeCluster;

beforeAll(async () => {
  if (findProgram("kube") === undefined || findProgram("openssl") === undefined) return;
  scratch = createScratch("kube");
  cluster = await startKubeCluster(scratch);
}, 300_000);

afterAll(async () => {
  await cluster?.stop();
  scratch?.remove();
}, 60_000);

withCluster("kubectl and server are of one version", async () => {
  const version = JSON.parse(await cluster.mustKubectl(["version", "-o", "json"])) as {
    readonly clientVersion: { readonly gitVersion: string };
    readonly serverVersion: { readonly gitVersion: string };
  };
  expect([version.clientVersion.gitVersion, version.serverVersion.gitVersion]).toEqual([
    "v1.36.3",
    "v1.36.3",
  ]);
});

withCluster("a user may nothing until a role says so, by certificate or as a ServiceAccount", async () => {
  await cluster.addNamespace("roles");
  await cluster.mustKubectl(["create", "serviceaccount", "robot", "-n", "roles"]);
  const configs = [
    await cluster.userConfig("ann", ["team-a"]),
    await cluster.serviceAccountConfig("roles", "robot"),
  ];
  for (const config of configs) {
    const refused = await cluster.kubectl(["get", "secrets", "-n", "roles"], { config });
    expect([refused.code, /Forbidden/.test(refused.err)]).toEqual([1, true]);
  }
  await cluster.mustKubectl(["create", "role", "reader", "--verb=list", "--resource=secrets", "-n", "roles"]);
  await cluster.mustKubectl(
    "create rolebinding readers --role=reader --group=team-a --serviceaccount=roles:robot -n roles".split(
      " ",
    ),
  );
  for (const config of configs) await cluster.mustKubectl(["get", "secrets", "-n", "roles"], { config });
  const seen = cluster
    .audit()
    .filter(({ resource, namespace }) => resource === "secrets" && namespace === "roles");
  expect(seen.map(({ user, verb, code }) => [user, verb, code])).toEqual([
    ["ann", "list", 403],
    ["system:serviceaccount:roles:robot", "list", 403],
    ["ann", "list", 200],
    ["system:serviceaccount:roles:robot", "list", 200],
  ]);
});

withCluster(
  "a namespace that is deleted goes away with what is in it",
  async () => {
    await cluster.addNamespace("gone");
    await cluster.mustKubectl(["create", "secret", "generic", "s", "-n", "gone", "--from-literal=a=b"]);
    await cluster.mustKubectl(["delete", "namespace", "gone", "--wait", "--timeout=60s"]);
    expect((await cluster.request("GET", "/api/v1/namespaces/gone")).status).toBe(404);
  },
  90_000,
);
