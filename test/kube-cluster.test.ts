/** The cluster that other tests stand on: that it is a real one, and rules as one. */
import { expect } from "bun:test";
import { useKubeCluster } from "./support/use-kube-cluster.ts";

const kube = useKubeCluster("kube");
const { withCluster } = kube;

withCluster("kubectl and server are of one version", async () => {
  const version = JSON.parse(await kube.cluster.mustKubectl(["version", "-o", "json"])) as {
    readonly clientVersion: { readonly gitVersion: string };
    readonly serverVersion: { readonly gitVersion: string };
  };
  expect([version.clientVersion.gitVersion, version.serverVersion.gitVersion]).toEqual([
    "v1.36.3",
    "v1.36.3",
  ]);
});

withCluster("a user may nothing until a role says so, by certificate or as a ServiceAccount", async () => {
  await kube.cluster.addNamespace("roles");
  await kube.cluster.mustKubectl(["create", "serviceaccount", "robot", "-n", "roles"]);
  const configs = [
    await kube.cluster.userConfig("ann", ["team-a"]),
    await kube.cluster.serviceAccountConfig("roles", "robot"),
  ];
  for (const config of configs) {
    const refused = await kube.cluster.kubectl(["get", "secrets", "-n", "roles"], { config });
    expect([refused.code, /Forbidden/.test(refused.err)]).toEqual([1, true]);
  }
  await kube.cluster.mustKubectl([
    "create",
    "role",
    "reader",
    "--verb=list",
    "--resource=secrets",
    "-n",
    "roles",
  ]);
  await kube.cluster.mustKubectl(
    "create rolebinding readers --role=reader --group=team-a --serviceaccount=roles:robot -n roles".split(
      " ",
    ),
  );
  for (const config of configs) await kube.cluster.mustKubectl(["get", "secrets", "-n", "roles"], { config });
  const seen = kube.cluster
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
    await kube.cluster.addNamespace("gone");
    await kube.cluster.mustKubectl(["create", "secret", "generic", "s", "-n", "gone", "--from-literal=a=b"]);
    await kube.cluster.mustKubectl(["delete", "namespace", "gone", "--wait", "--timeout=60s"]);
    expect((await kube.cluster.request("GET", "/api/v1/namespaces/gone")).status).toBe(404);
  },
  90_000,
);
