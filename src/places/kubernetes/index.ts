import { AppError, type Context, isAppError, type ObjectPath, parseObjectPath } from "#core";
import { createFetch, type Fetch, wait } from "#system";
import type { Place, PlaceFile } from "../contract.ts";
import { announceEvent } from "./announce.ts";
import { pullByCanary } from "./canary.ts";
import { connectionOf, inClusterConnection, type KubeConnection } from "./connection.ts";
import { createCredentialSource } from "./credentials.ts";
import { readKept, writeKept } from "./kept-bytes.ts";
import { createKubeClient, FIELD_MANAGER, type KubeClient } from "./kube-client.ts";
import { createKubeSend } from "./kube-request.ts";
import { readKubeconfig } from "./kubeconfig.ts";
import { leadUnderLease } from "./lease.ts";
import { findNamespaces } from "./namespaces.ts";
import { createObjectReader, type PlaceObject } from "./object-reader.ts";
import {
  type ParsedSecret,
  parseAccountText,
  parseSecretText,
  renderAccountText,
  renderSecretText,
} from "./object-text.ts";

import type { KubePod, KubeServiceAccount } from "./objects.ts";

import { observeObjects } from "./observe.ts";
import { surveyCluster } from "./survey.ts";

/** Opens clusters by the contexts of a kubeconfig; each is connected to once. */
export interface KubernetesPlaces {
  /** The place of a context; undefined: the current one, else the cluster that this runs in. Fails where it is first used. */
  open(context: string | undefined): Place;
}

interface Connected {
  readonly client: KubeClient;
  readonly connection: KubeConnection;
}

/** Objects that are written at once: more gains nothing and is unkind to the API server. */
const AT_ONCE = 16;

/** `home` is where `.kube/config` is looked for; the environment's KUBECONFIG comes first. */
export function createKubernetesPlaces(
  env: Readonly<Record<string, string | undefined>>,
  about: { readonly home: string; readonly userAgent: string },
): KubernetesPlaces {
  const known = new Map<string, Promise<Connected>>();
  const fetch = createFetch({ environment: env, userAgent: about.userAgent });
  return {
    open(context) {
      const key = context ?? "";
      return createPlace(`k8s://${key}`, () => {
        const connected = known.get(key) ?? connect(context, { env, home: about.home, fetch });
        known.set(key, connected);
        return connected;
      });
    },
  };
}

async function connect(
  context: string | undefined,
  from: {
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly home: string;
    readonly fetch: Fetch;
  },
): Promise<Connected> {
  const config = await readKubeconfig(from.env, from.home);
  // Who names a context means that cluster, and not the one that this happens to run in.
  const own =
    context === undefined && config?.currentContext === undefined
      ? await inClusterConnection(from.env)
      : undefined;
  if (own === undefined && config === undefined)
    throw new AppError("CONFIG_INVALID", "there is no kubeconfig, and this is no pod of a cluster", {
      hint: "set KUBECONFIG, or copy the kubeconfig to ~/.kube/config; in a pod: at: k8s://",
    });
  const found = own ?? (await connectionOf(config as NonNullable<typeof config>, context));
  const credentials = createCredentialSource(found, from.env);
  const send = createKubeSend({ connection: found, credentials, fetch: from.fetch, wait });
  return { client: createKubeClient(send), connection: found };
}

/**
 * A cluster. Secrets are applied under our field manager, in place, so that the UID stays; the list of a ServiceAccount is written whole
 * under its resourceVersion. What was read through this place is the condition of what is written through it.
 */
function createPlace(name: string, connected: () => Promise<Connected>): Place {
  const seen = new Map<string, Seen>();
  const read = createObjectReader(async () => (await connected()).client);

  async function readObject(context: Context, path: string): Promise<PlaceObject | undefined> {
    const object = await read(context, path);
    if (object === undefined) seen.delete(path);
    else seen.set(path, seenOf(object));
    return object;
  }

  /** What we made and somebody changed since is ours to mend: they own the field now. What we never applied stays theirs. */
  async function applySecret(context: Context, path: string, secret: ParsedSecret): Promise<PlaceObject> {
    const { client } = await connected();
    const { object, force } = secret;
    try {
      return await client.apply<PlaceObject>(context, `/api/v1${path}`, object, force);
    } catch (cause) {
      const isTheirs = seen.get(path)?.isApplied !== true;
      if (isTheirs || !isAppError(cause, "CONFLICT") || cause.details?.["managers"] === undefined)
        throw cause;
      return await client.apply<PlaceObject>(context, `/api/v1${path}`, object, true);
    }
  }

  return {
    name,
    atOnce: AT_ONCE,
    cluster: {
      namespaces: (context, options) => findNamespaces(context, connected, options),
      object: async (context, path) => await (await connected()).client.get(context, path),
      async pull(context, canary) {
        const { client } = await connected();
        return await pullByCanary(context, { client, wait, now: () => performance.now() }, canary);
      },
      async pullSecrets(context, { namespace, kind, name: owner }) {
        const { client } = await connected();
        const path = `/namespaces/${namespace}/${kind}/${owner}`;
        const found = await client.get<KubePod & KubeServiceAccount>(context, `/api/v1${path}`);
        if (found === undefined) throw new AppError("NOT_FOUND", `${path}: it is not there`);
        return ((kind === "pods" ? found.spec : found)?.imagePullSecrets ?? []).map((one) => one.name);
      },
      survey: async (context, namespace) =>
        await surveyCluster(context, (await connected()).client, namespace),
      async observe(context, observed, tell) {
        await observeObjects(context, (await connected()).client, observed, tell);
      },
      async announce(context, path, event) {
        const object = await read(context, path);
        if (object === undefined) return false;
        const about = { at: objectAt(path), uid: object.metadata.uid };
        await announceEvent(context, (await connected()).client, about, event);
        return true;
      },
      async readKept(context, at) {
        const { client, connection } = await connected();
        return await readKept(context, client, { ...at, namespace: at.namespace ?? connection.namespace });
      },
      async writeKept(context, at, bytes) {
        const { client, connection } = await connected();
        const namespace = at.namespace ?? connection.namespace;
        await writeKept(context, client, { ...at, namespace }, bytes);
      },
      async lead(context, lease, work) {
        const { client, connection } = await connected();
        const namespace = lease.namespace ?? connection.namespace;
        await leadUnderLease(context, client, { ...lease, namespace }, work);
      },
    },
    facts: () => Promise.resolve({ home: "", user: "", uid: 0, env: {} }),
    async read(context, path): Promise<PlaceFile | undefined> {
      const at = objectAt(path);
      const object = await readObject(context, path);
      if (object === undefined) return undefined;
      const text = at.kind === "secrets" ? renderSecretText(object) : renderAccountText(object);
      return { bytes: Buffer.from(text), mode: 0o600, uid: 0, gid: 0 };
    },
    async write(context, path, bytes) {
      const at = objectAt(path);
      const { client } = await connected();
      const text = Buffer.from(bytes).toString();
      const resourceVersion = seen.get(path)?.preconditions.resourceVersion;
      const condition = resourceVersion === undefined ? {} : { resourceVersion };
      if (at.kind === "secrets") {
        const { namespace, name: secret } = at;
        const parsed = parseSecretText(text, { namespace, name: secret, ...condition });
        seen.set(path, seenOf(await applySecret(context, path, parsed)));
      } else {
        if (resourceVersion === undefined)
          throw new AppError("NOT_FOUND", `${path}: there is no such ServiceAccount`);
        const patch = { metadata: condition, imagePullSecrets: parseAccountText(text) };
        seen.set(path, seenOf(await client.mergePatch<PlaceObject>(context, `/api/v1${path}`, patch)));
      }
    },
    async remove(context, path) {
      objectAt(path);
      const { client } = await connected();
      await client.remove(context, `/api/v1${path}`, seen.get(path)?.preconditions ?? {});
      seen.delete(path);
    },
    async list(context, path) {
      const [, root, namespace, kind, ...more] = path.split("/");
      if (root !== "namespaces" || more.length > 0 || (kind !== "secrets" && kind !== "serviceaccounts"))
        return [];
      const { client } = await connected();
      const { items } = await client.list(context, `/api/v1/namespaces/${namespace ?? ""}/${kind}`, {
        isMetadataOnly: true,
        ...(kind === "secrets" ? { labels: "app.kubernetes.io/managed-by=wharf" } : {}),
      });
      return items.map((item) => item.metadata.name).sort();
    },
    version: () => Promise.resolve(undefined),
  };
}

/** What is known of an object since it was read: the condition of a change, and whether we have applied it before. */
interface Seen {
  readonly preconditions: { readonly resourceVersion?: string; readonly uid?: string };
  readonly isApplied: boolean;
}

function seenOf({ metadata }: PlaceObject): Seen {
  const { uid, resourceVersion, managedFields = [] } = metadata;
  return {
    preconditions: {
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    },
    isApplied: managedFields.some(
      ({ manager, operation }) => manager === FIELD_MANAGER && operation === "Apply",
    ),
  };
}

function objectAt(path: string): ObjectPath {
  const found = parseObjectPath(path);
  if (found !== undefined) return found;
  throw new AppError("INVALID_INPUT", `${JSON.stringify(path.slice(0, 120))} is no object of a cluster`, {
    hint: "a Kubernetes API takes deliveries to kubernetes and runai",
  });
}
