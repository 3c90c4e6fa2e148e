import type { KubeCluster } from "../../test/support/kube-cluster.ts";

const AT_ONCE = 16;
const ACCOUNTS = "/api/v1/serviceaccounts?fieldSelector=metadata.name%3Ddefault";

/** What is written into each namespace. */
export interface FloorWrites {
  readonly namespaces: readonly string[];
  /** Of the Secret. */
  readonly name: string;
  readonly data: Readonly<Record<string, string>>;
}

/**
 * What the API server itself needs for a first apply, in milliseconds: one list of ServiceAccounts, then a server-side apply of a Secret
 * and a conditional patch of a ServiceAccount for each namespace, 16 requests at once from a process that does nothing else and is
 * connected already.
 */
export async function timeFloor(cluster: KubeCluster, writes: FloorWrites): Promise<number> {
  const started = performance.now();
  const accounts = await readAccounts(cluster);
  await sendAll(writes.namespaces, async (namespace) => {
    const account = accounts.get(namespace);
    if (account === undefined) throw new Error(`${namespace} has no ServiceAccount`);
    const root = `/api/v1/namespaces/${namespace}`;
    const metadata = { name: writes.name, namespace };
    const type = "kubernetes.io/dockerconfigjson";
    await send(cluster, `${root}/secrets/${writes.name}?fieldManager=floor`, {
      body: { apiVersion: "v1", kind: "Secret", metadata, type, data: writes.data },
      contentType: "application/apply-patch+yaml",
    });
    await send(cluster, `${root}/serviceaccounts/default?fieldManager=floor`, {
      body: {
        metadata: { resourceVersion: account.resourceVersion },
        imagePullSecrets: [...account.names, writes.name].map((name) => ({ name })),
      },
      contentType: "application/merge-patch+json",
    });
  });
  return performance.now() - started;
}

interface Account {
  readonly resourceVersion: string;
  readonly names: readonly string[];
}

async function readAccounts(cluster: KubeCluster): Promise<ReadonlyMap<string, Account>> {
  const { items } = (await (await cluster.request("GET", ACCOUNTS)).json()) as {
    readonly items: readonly {
      readonly metadata: { readonly namespace: string; readonly resourceVersion: string };
      readonly imagePullSecrets?: readonly { readonly name: string }[];
    }[];
  };
  return new Map(
    items.map(({ metadata, imagePullSecrets = [] }) => [
      metadata.namespace,
      { resourceVersion: metadata.resourceVersion, names: imagePullSecrets.map(({ name }) => name) },
    ]),
  );
}

async function send(
  cluster: KubeCluster,
  path: string,
  { body, contentType }: { readonly body: object; readonly contentType: string },
): Promise<void> {
  const answer = await cluster.request("PATCH", path, body, contentType);
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text.slice(0, 300)}`);
}

async function sendAll<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let item = left.pop(); item !== undefined; item = left.pop()) await work(item);
    }),
  );
}
