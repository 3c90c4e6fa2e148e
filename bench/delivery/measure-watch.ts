import type { KubeCluster } from "../../test/support/kube-cluster.ts";
import { until } from "../../test/support/until.ts";
import type { PeerRow } from "../peer-row.ts";
import { median } from "../registry/row.ts";
import type { DeliveryBench } from "./delivery-row.ts";
import type { SealedHome } from "./sealed-logins.ts";

/** New namespaces, one after another: each is a sample. */
const SAMPLES = 40;

/**
 * How long after a namespace was made its Secret and its ServiceAccount's entry are there, with `wharf watch` running and all that is there
 * already delivered. Seen by two watches of our own, so that nothing is asked while it works. `name` is the Secret's.
 */
export async function measureWatch(
  bench: DeliveryBench,
  to: {
    readonly cluster: KubeCluster;
    readonly home: SealedHome;
    readonly name: string;
    readonly there: number;
  },
): Promise<readonly PeerRow[]> {
  const { cluster, home, name, there } = to;
  const child = Bun.spawn([bench.wharf, "watch", "--json", "--at", "k8s://test", "--listen", "127.0.0.1:0"], {
    stdio: ["ignore", "pipe", Bun.file(bench.scratch.at("watch.log"))],
    env: home.env,
    cwd: home.home,
  });
  const stop = new AbortController();
  try {
    const { value } = await child.stdout.getReader().read();
    const { address } = JSON.parse(new TextDecoder().decode(value)) as { address: string };
    await until(
      "wharf watch has looked at everything",
      async () => (await fetch(`http://${address}/readyz`)).status === 200 && (await isLeading(address)),
      120_000,
    );
    const seen = new Map<string, { secret?: number; account?: number }>();
    const note = (namespace: string, kind: "secret" | "account"): void => {
      const one = seen.get(namespace) ?? {};
      one[kind] ??= performance.now();
      seen.set(namespace, one);
    };
    void follow(cluster, stop.signal, `/api/v1/secrets?fieldSelector=metadata.name%3D${name}`, (object) =>
      note(object.metadata.namespace, "secret"),
    );
    void follow(
      cluster,
      stop.signal,
      "/api/v1/serviceaccounts?fieldSelector=metadata.name%3Ddefault",
      (object) => {
        if (object.imagePullSecrets?.some((one) => one.name === name) === true)
          note(object.metadata.namespace, "account");
      },
    );
    await until("the watches begin", () => seen.size >= Math.min(there, 10) || undefined, 60_000);
    const found: number[] = [];
    for (let sample = 1; sample <= SAMPLES; sample++) {
      const namespace = `fresh-${sample}`;
      const started = performance.now();
      const made = await cluster.request("POST", "/api/v1/namespaces", {
        metadata: { name: namespace, labels: { team: "ml" } },
      });
      if (!made.ok) throw new Error(`namespace ${namespace}: ${made.status}`);
      const done = await until(`${namespace} is served`, () => bothOf(seen.get(namespace)), 60_000);
      found.push(done - started);
    }
    const [longest, middle] = [Math.max(...found), median(found)];
    bench.say(`a new namespace is served: median ${middle.toFixed(0)} ms, at most ${longest.toFixed(0)} ms`);
    return [
      {
        work: `a new namespace has its Secret and its ServiceAccount's entry, with ${there.toLocaleString("en")} there already`,
        unit: "ms",
        decimals: 0,
        wharf: middle,
        peers: [],
        goal: "≤ 300 ms median, ≤ 2,000 ms always",
        verdict: {
          met: middle <= 300 && longest <= 2000,
          words: `${middle.toFixed(0)} ms, of ${SAMPLES} none above ${longest.toFixed(0)} ms`,
        },
      },
    ];
  } finally {
    stop.abort();
    child.kill("SIGTERM");
    await child.exited;
  }
}

async function isLeading(address: string): Promise<true | undefined> {
  const text = await (await fetch(`http://${address}/metrics`)).text();
  return text.includes("wharf_watch_leading 1") && text.includes("wharf_watch_last_success")
    ? true
    : undefined;
}

function bothOf(one: { secret?: number; account?: number } | undefined): number | undefined {
  return one?.secret === undefined || one.account === undefined
    ? undefined
    : Math.max(one.secret, one.account);
}

interface Seen {
  readonly metadata: { readonly namespace: string };
  readonly imagePullSecrets?: readonly { readonly name: string }[];
}

/** Tells every object that is there and that changes, until the signal ends. */
async function follow(
  cluster: KubeCluster,
  signal: AbortSignal,
  path: string,
  tell: (object: Seen) => void,
): Promise<void> {
  const answer = await fetch(`${cluster.server}${path}&watch=true`, {
    headers: { authorization: `Bearer ${cluster.adminToken}` },
    tls: { ca: await Bun.file(cluster.caFile).text() },
    signal,
  });
  let rest = "";
  const decoder = new TextDecoder();
  try {
    for await (const chunk of answer.body ?? []) {
      rest += decoder.decode(chunk, { stream: true });
      const lines = rest.split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) if (line !== "") tell((JSON.parse(line) as { readonly object: Seen }).object);
    }
  } catch (cause) {
    if (!signal.aborted) throw cause;
  }
}
