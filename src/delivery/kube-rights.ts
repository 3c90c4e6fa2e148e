import type { Consumer, Target } from "#consumers";
import { AppError, type Context, type ObjectKind, parseObjectPath, Secret } from "#core";
import type { Login, WharfConfig } from "#logins";
import { consumerNamed, type Inventory, type TargetSpec, targetsOf } from "./targets.ts";

/** What must be allowed at one place for its deliveries: names of objects, by namespace. */
export interface KubeRights {
  /** `k8s://CONTEXT`, as in wharf.yaml. */
  readonly place: string;
  /** Namespaces are found by a selector, or all are meant: they must be listed, and names are the same in each. */
  readonly findsNamespaces: boolean;
  /** API paths of objects that are only looked at (Run:ai's own settings). */
  readonly reads: readonly string[];
  /** `undefined`: in every namespace. Names sorted. */
  readonly rights: readonly {
    readonly namespace: string | undefined;
    readonly kind: ObjectKind;
    readonly names: readonly string[];
  }[];
}

/** Stands for every namespace while documents are compiled; no namespace may be called so by somebody. */
const ANY = "wharf-every-namespace";

/**
 * The rights that the deliveries at each cluster need, by what their consumers would write there: nothing of the vault is read and no
 * cluster is asked. Throws USAGE where wharf.yaml delivers to none, CONFIG_INVALID for options that a consumer refuses.
 */
export async function rightsOf(
  context: Context,
  about: { readonly config: WharfConfig; readonly inventory: Inventory },
): Promise<readonly KubeRights[]> {
  const specs = targetsOf(about.config).filter(({ at }) => at.kind === "k8s");
  if (specs.length === 0)
    throw new AppError("USAGE", "wharf.yaml delivers to no Kubernetes API", {
      hint: 'add a delivery: { to: kubernetes, at: "k8s://CONTEXT", namespaces: [NAME], logins: [LOGIN] }',
    });
  const places = Map.groupBy(specs, ({ at }) => at.text);
  return await Promise.all([...places].map(([place, group]) => rightsAt(context, about, place, group)));
}

async function rightsAt(
  context: Context,
  about: { readonly config: WharfConfig; readonly inventory: Inventory },
  place: string,
  specs: readonly TargetSpec[],
): Promise<KubeRights> {
  const paths: string[] = [];
  const reads = new Set<string>();
  let findsNamespaces = false;
  for (const spec of specs) {
    const consumer = consumerNamed(about.inventory.consumers, spec.consumer);
    const needs = consumer.inCluster?.(spec.options) ?? { options: spec.options, objects: [] };
    for (const path of needs.objects) reads.add(path);
    const { namespaces } = needs.options;
    const isFound = namespaces !== undefined && !Array.isArray(namespaces);
    findsNamespaces ||= isFound;
    const opened = await about.inventory.openPlace(context, spec.at, spec.user);
    const found = isFound ? [ANY] : await opened.cluster?.namespaces(context, needs.options);
    paths.push(...pathsOf(about.config, spec, { consumer, namespaces: found ?? [] }));
  }
  const objects = paths.flatMap((path) => parseObjectPath(path) ?? []);
  const groups = Map.groupBy(
    objects,
    ({ namespace, kind }) => `${namespace === ANY ? "" : namespace}/${kind}`,
  );
  return {
    place,
    findsNamespaces,
    reads: [...reads].sort(),
    rights: [...groups]
      .map(([group, members]) => {
        const [namespace, kind] = group.split("/") as [string, ObjectKind];
        return {
          namespace: namespace === "" ? undefined : namespace,
          kind,
          names: [...new Set(members.map(({ name }) => name))].sort(),
        };
      })
      .sort((a, b) => ((a.namespace ?? "") < (b.namespace ?? "") ? -1 : 1)),
  };
}

/** What a consumer would write, for logins whose secrets do not matter. */
function pathsOf(
  config: WharfConfig,
  spec: TargetSpec,
  to: { readonly consumer: Consumer; readonly namespaces: readonly string[] },
): readonly string[] {
  const target: Target = {
    home: "",
    user: "",
    uid: 0,
    env: {},
    options: spec.options,
    namespaces: to.namespaces,
  };
  const logins = spec.logins
    .flatMap((name): readonly Login[] => {
      const login = config.logins.get(name);
      return login === undefined ? [] : [login];
    })
    .map(({ name, registry, path, username }) => ({
      name,
      registry,
      path,
      username,
      secret: new Secret("none"),
    }));
  const { documents, refusals } = to.consumer.compile(logins, target);
  const [refusal] = refusals;
  if (documents.length === 0 && refusal !== undefined)
    throw new AppError(
      "CONFIG_INVALID",
      `${spec.consumer} at ${spec.at.text}: ${refusal.reason}`,
      refusal.hint === undefined ? {} : { hint: refusal.hint },
    );
  return documents.map(({ path }) => path);
}
