import { type Context, forEachAtOnce, isAppError, type ObjectKind, renderObjectPath } from "#core";
import type { KubeClient } from "./kube-client.ts";
import type { KubeSecret, KubeServiceAccount } from "./objects.ts";

/** Either kind that is a file here. */
export type PlaceObject = KubeSecret & KubeServiceAccount;

/** Reads objects by path; undefined where one is not there. */
export type ObjectReader = (context: Context, path: string) => Promise<PlaceObject | undefined>;

/** From so many namespaces on, one list of a name in all of the cluster is quicker than asking for each. */
const WORTH_A_LIST = 8;
const AT_ONCE = 16;
const ROOT = "/namespaces/";

interface Wanted {
  readonly context: Context;
  readonly path: string;
  resolve(object: PlaceObject | undefined): void;
  reject(cause: unknown): void;
}

/**
 * What is asked for at once is read at once: many of the same name in one list of the cluster, held to that name by a field selector. So
 * the right to list may be held to that name too (RBAC resourceNames), and what others made under it is seen. Who may not list gets
 * each by itself.
 */
export function createObjectReader(connect: () => Promise<KubeClient>): ObjectReader {
  let waiting: Wanted[] = [];

  return function read(context, path) {
    return new Promise((resolve, reject) => {
      if (waiting.length === 0) setImmediate(() => void flush());
      waiting.push({ context, path, resolve, reject });
    });
  };

  async function flush(): Promise<void> {
    const batch = waiting;
    waiting = [];
    // `KIND/NAME`, what follows the namespace.
    const groups = Map.groupBy(batch, ({ path }) => path.slice(path.indexOf("/", ROOT.length) + 1));
    await Promise.all([...groups].map(([group, wanted]) => readGroup(group, wanted)));
  }

  async function readGroup(group: string, wanted: readonly Wanted[]): Promise<void> {
    const [first] = wanted;
    if (first === undefined) return;
    try {
      const client = await connect();
      const found = wanted.length < WORTH_A_LIST ? undefined : await listNamed(first.context, client, group);
      if (found !== undefined) for (const one of wanted) one.resolve(found.get(one.path));
      else await forEachAtOnce(wanted, (one) => readOne(client, one), AT_ONCE);
    } catch (cause) {
      for (const one of wanted) one.reject(cause);
    }
  }

  /** undefined where a list of the cluster is not allowed. */
  async function listNamed(
    context: Context,
    client: KubeClient,
    group: string,
  ): Promise<ReadonlyMap<string, PlaceObject> | undefined> {
    const [kind, name] = group.split("/") as [ObjectKind, string];
    try {
      const { items } = await client.list<PlaceObject>(context, `/api/v1/${kind}`, {
        fields: `metadata.name=${name}`,
      });
      return new Map(
        items.map((item) => [
          renderObjectPath({ namespace: item.metadata.namespace ?? "", kind, name: item.metadata.name }),
          item,
        ]),
      );
    } catch (cause) {
      if (isAppError(cause, "DENIED")) return undefined;
      throw cause;
    }
  }

  async function readOne(client: KubeClient, one: Wanted): Promise<void> {
    try {
      one.resolve(await client.get<PlaceObject>(one.context, `/api/v1${one.path}`));
    } catch (cause) {
      one.reject(cause);
    }
  }
}
