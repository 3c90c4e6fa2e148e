import { writeFileSync } from "node:fs";
import { type KubeCluster, kubeCommand, startKubeCluster } from "../../test/support/kube-cluster.ts";
import { findProgram } from "../../test/support/programs.ts";
import { until } from "../../test/support/until.ts";
import { type PeerRow, timesFaster } from "../peer-row.ts";
import { median, type Verdict } from "../registry/row.ts";
import type { DeliveryBench } from "./delivery-row.ts";
import { timeFloor } from "./measure-floor.ts";
import { measureWatch } from "./measure-watch.ts";
import { createSealedHome, type SealedHome } from "./sealed-logins.ts";
import { timeRun } from "./time-runs.ts";

const LOGINS = 3;
const AT_ONCE = 16;
/** No-op runs and lists, each a sample. */
const SAMPLES = 7;

/** Many namespaces of a real API server: the first apply, and one that has nothing to do. */
export async function measureClusters(bench: DeliveryBench): Promise<readonly PeerRow[]> {
  if (findProgram("kube") === undefined || findProgram("openssl") === undefined) {
    bench.say("no Kubernetes to deliver into: see test/support/real-programs.ts");
    return [];
  }
  const cluster = await startKubeCluster(bench.scratch);
  try {
    const namespaces = await addNamespaces(cluster, bench.settings.namespaces);
    const data = pullSecretData();
    const firsts: number[] = [];
    const floors: number[] = [];
    let last: SealedHome | undefined;
    for (let round = 1; round <= bench.settings.rounds; round++) {
      last = await createHome(bench, cluster, `cluster-${round}`);
      firsts.push(await timeApply(bench, last));
      floors.push(await timeFloor(cluster, { namespaces, data, name: `floor-${round}` }));
      bench.say(`${namespaces.length} namespaces, first apply: ${Math.round(firsts.at(-1) ?? 0)} ms`);
    }
    const kubectl = await timeKubectl(bench, cluster, { namespaces, data });
    const [quietMs, listMs] = last === undefined ? [] : await timeQuiet(bench, cluster, last);
    const rows = rowsOf(namespaces.length, {
      firstMs: median(firsts),
      floorMs: median(floors),
      kubectl,
      quietMs,
      listMs,
    });
    if (last === undefined) return rows;
    const name = `cluster-${bench.settings.rounds}`;
    const watched = await measureWatch(bench, { cluster, home: last, name, there: namespaces.length });
    return [...rows, ...watched];
  } finally {
    await cluster.stop();
  }
}

function rowsOf(
  count: number,
  found: {
    readonly firstMs: number;
    readonly floorMs: number;
    readonly kubectl: { readonly firstMs: number; readonly againMs: number };
    readonly quietMs: number | undefined;
    readonly listMs: number | undefined;
  },
): readonly PeerRow[] {
  const { firstMs, floorMs, kubectl, quietMs, listMs } = found;
  const namespaces = `${count.toLocaleString("en")} namespaces`;
  const first = { peer: "kubectl apply --server-side, the Secrets alone", value: kubectl.firstMs };
  const again = { peer: "kubectl apply --server-side, again", value: kubectl.againMs };
  const unit = { unit: "ms", decimals: 0 };
  return [
    {
      work: `${namespaces}, first apply: a Secret and a ServiceAccount's entry each`,
      ...unit,
      wharf: firstMs,
      peers: [first, { peer: "the same requests and nothing else, 16 at once", value: floorMs }],
      goal: "≥ 14 × kubectl apply --server-side of the Secrets",
      verdict: besideFloor(timesFaster(firstMs, first, 14), firstMs / floorMs),
    },
    {
      work: `${namespaces}, nothing to do`,
      ...unit,
      wharf: quietMs,
      peers: [again, ...(listMs === undefined ? [] : [{ peer: "one labelled list", value: listMs }])],
      goal: "at most 5 labelled lists' time, 0 writes",
      verdict:
        quietMs === undefined || listMs === undefined
          ? undefined
          : {
              met: quietMs <= 5 * listMs,
              words: `${(quietMs / listMs).toFixed(1)} lists, 0 writes; ${(kubectl.againMs / quietMs).toFixed(0)} × kubectl`,
            },
    },
  ];
}

/** Says too how much of the time is the API server's own. */
function besideFloor(verdict: Verdict | undefined, ratio: number): Verdict | undefined {
  if (verdict === undefined) return undefined;
  return { ...verdict, words: `${verdict.words}; ${ratio.toFixed(2)} × what the API server itself needs` };
}

function pullSecretData(): Readonly<Record<string, string>> {
  const auths = Object.fromEntries(
    Array.from({ length: LOGINS }, (_, index) => [
      `registry-${index}.example`,
      { auth: Buffer.from(`robot:${crypto.randomUUID()}`).toString("base64") },
    ]),
  );
  return { ".dockerconfigjson": Buffer.from(JSON.stringify({ auths })).toString("base64") };
}

async function addNamespaces(cluster: KubeCluster, count: number): Promise<readonly string[]> {
  const names = Array.from({ length: count }, (_, index) => `team-${String(index + 1).padStart(4, "0")}`);
  const left = [...names];
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let name = left.pop(); name !== undefined; name = left.pop()) {
        const made = await cluster.request("POST", "/api/v1/namespaces", {
          metadata: { name, labels: { team: "ml" } },
        });
        if (!made.ok) throw new Error(`namespace ${name}: ${made.status}`);
      }
    }),
  );
  await until(
    "every namespace has its ServiceAccount",
    async () => {
      const found = await cluster.request(
        "GET",
        "/api/v1/serviceaccounts?fieldSelector=metadata.name%3Ddefault",
      );
      const { items } = (await found.json()) as { readonly items: readonly unknown[] };
      return items.length >= count ? true : undefined;
    },
    600_000,
  );
  return names;
}

/** A home whose delivery has a name of its own: what another home delivered is not there for it. */
async function createHome(bench: DeliveryBench, cluster: KubeCluster, name: string): Promise<SealedHome> {
  const home = await createSealedHome(bench, name, LOGINS, [
    `{ to: kubernetes, at: "k8s://test", namespaces: { selector: "team=ml" }, service-accounts: [default], name: ${name} }`,
  ]);
  return { ...home, env: { ...home.env, KUBECONFIG: cluster.adminConfig } };
}

async function timeApply(bench: DeliveryBench, { home, env }: SealedHome): Promise<number> {
  return (await timeRun({ command: [bench.wharf, "apply", "--yes"], env, cwd: home })).ms;
}

/** The medians of an apply that has nothing to do and of one labelled list, in turn. Throws where anything was written. */
async function timeQuiet(
  bench: DeliveryBench,
  cluster: KubeCluster,
  home: SealedHome,
): Promise<readonly [number, number]> {
  const applies: number[] = [];
  const lists: number[] = [];
  const before = writes(cluster);
  for (let sample = 0; sample < SAMPLES; sample++) {
    applies.push(await timeApply(bench, home));
    const started = performance.now();
    const answer = await cluster.request(
      "GET",
      "/api/v1/secrets?labelSelector=app.kubernetes.io%2Fmanaged-by%3Dwharf",
    );
    await answer.arrayBuffer();
    lists.push(performance.now() - started);
  }
  if (writes(cluster) !== before) throw new Error("an apply that has nothing to do wrote something");
  return [median(applies), median(lists)];
}

async function timeKubectl(
  bench: DeliveryBench,
  cluster: KubeCluster,
  about: {
    readonly namespaces: readonly string[];
    readonly data: Readonly<Record<string, string>>;
  },
): Promise<{ readonly firstMs: number; readonly againMs: number }> {
  const items = about.namespaces.map((namespace) => ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "by-kubectl", namespace },
    type: "kubernetes.io/dockerconfigjson",
    data: about.data,
  }));
  const file = bench.scratch.at("secrets.json");
  writeFileSync(file, JSON.stringify({ apiVersion: "v1", kind: "List", items }), { mode: 0o600 });
  const command = [
    ...kubeCommand("kubectl"),
    "--kubeconfig",
    cluster.adminConfig,
    "apply",
    "--server-side",
    "-f",
    file,
  ];
  const env = { HOME: bench.scratch.path, PATH: "/usr/bin:/bin" };
  const first = await timeRun({ command, env });
  const again = await timeRun({ command, env });
  bench.versions.set("Kubernetes", "1.36.3, etcd without fsync, on the same machine");
  return { firstMs: first.ms, againMs: again.ms };
}

function writes(cluster: KubeCluster): number {
  return cluster
    .audit()
    .filter(({ verb }) => verb === "create" || verb === "update" || verb === "patch" || verb === "delete")
    .filter(({ resource }) => resource === "secrets" || resource === "serviceaccounts").length;
}
