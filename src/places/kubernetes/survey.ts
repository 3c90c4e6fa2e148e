import { AppError, type Context, forEachAtOnce, isAppError, renderObjectPath } from "#core";
import type { ClusterSurvey } from "../contract.ts";
import type { KubeClient, Selection } from "./kube-client.ts";
import type { KubeSecret, KubeServiceAccount, ObjectMeta } from "./objects.ts";

/** Which Secrets are pull secrets, or were meant to be: by their type, and by the labels of Run:ai. The others are not fetched. */
const SELECTIONS: readonly Selection[] = [
  { fields: "type=kubernetes.io/dockerconfigjson" },
  { labels: "run.ai/resource" },
  { labels: "runai/cluster-wide" },
];
const AT_ONCE = 16;
/** What a Secret's manifest says of it; other members of the metadata are the server's. */
const METADATA = ["name", "namespace", "labels", "annotations"] as const;

/** Reads what decides which logins pods pull with: see `Cluster.survey`. */
export async function surveyCluster(
  context: Context,
  client: KubeClient,
  namespace: string | undefined,
): Promise<ClusterSurvey> {
  const root = namespace === undefined ? "" : `/namespaces/${namespace}`;
  const refused: ClusterSurvey["refused"][number][] = [];
  const secrets = new Map<string, string>();
  const missing = new Set<string>();
  const hint = `it needs list of serviceaccounts and get and list of secrets${
    namespace === undefined ? " in all of the cluster; hold it to one namespace with -n NAMESPACE" : ""
  }`;
  /** undefined where it may not be done; everything else is thrown. */
  async function allowed<T>(path: string, ask: () => Promise<T>): Promise<T | undefined> {
    try {
      return await ask();
    } catch (cause) {
      if (!isAppError(cause, "DENIED")) throw cause;
      refused.push({ path, error: new AppError("DENIED", cause.message, { hint, cause }) });
      return undefined;
    }
  }
  const keep = (secret: KubeSecret): void =>
    void secrets.set(pathOf(secret.metadata, "secrets"), renderManifest(secret));

  const accounts = await allowed(`${root}/serviceaccounts`, () =>
    client.list<KubeServiceAccount>(context, `/api/v1${root}/serviceaccounts`),
  );
  await allowed(`${root}/secrets`, async () => {
    for (const selection of SELECTIONS)
      (await client.list<KubeSecret>(context, `/api/v1${root}/secrets`, selection)).items.forEach(keep);
  });
  const found = (accounts?.items ?? []).map(({ metadata, imagePullSecrets = [] }) => ({
    path: pathOf(metadata, "serviceaccounts"),
    pullSecrets: imagePullSecrets.map(({ name }) => ({
      name,
      path: renderObjectPath({ namespace: metadata.namespace ?? "", kind: "secrets", name }),
    })),
  }));
  const named = new Set(found.flatMap(({ pullSecrets }) => pullSecrets.map(({ path }) => path)));
  await forEachAtOnce(
    [...named].filter((path) => !secrets.has(path)),
    async (path) => {
      await allowed(path, async () => {
        const secret = await client.get<KubeSecret>(context, `/api/v1${path}`);
        if (secret === undefined) missing.add(path);
        else keep(secret);
      });
    },
    AT_ONCE,
  );
  return {
    accounts: found,
    secrets,
    missing,
    refused: refused.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
  };
}

function pathOf({ namespace = "", name }: ObjectMeta, kind: "secrets" | "serviceaccounts"): string {
  return renderObjectPath({ namespace, kind, name });
}

function renderManifest({ metadata, type, data }: KubeSecret): string {
  const about = Object.fromEntries(METADATA.map((name) => [name, metadata[name]]));
  return JSON.stringify({ apiVersion: "v1", kind: "Secret", metadata: about, type, data });
}
