import { type Context, parseObjectPath } from "#core";
import type { Observed } from "#places";
import type { PlanInput } from "../planning.ts";
import { prepareTarget } from "../prepare.ts";
import { targetsOf } from "../targets.ts";

/** Any will do: the names of the objects are the same in each. */
const SOME_NAMESPACE = "default";

/**
 * The objects that the deliveries of a place are made of, by their names: what is to be watched. Where every namespace is named in
 * wharf.yaml those alone, else all of the cluster. Throws what a target fails with: a configuration that cannot be delivered is not watched.
 */
export async function observedOf(context: Context, input: PlanInput): Promise<Observed> {
  const { inventory } = input;
  const named: PlanInput = {
    ...input,
    inventory: {
      ...inventory,
      async openPlace(opening, at, user) {
        const place = await inventory.openPlace(opening, at, user);
        const { cluster } = place;
        if (cluster === undefined) return place;
        return {
          ...place,
          // Their names are wanted, not what is in them.
          read: () => Promise.resolve(undefined),
          cluster: {
            ...cluster,
            namespaces: async (again, options) =>
              isOpenEnded(options) ? [SOME_NAMESPACE] : await cluster.namespaces(again, options),
          },
        };
      },
    },
  };
  const namespaces = new Set<string>();
  const names = { secrets: new Set<string>(), serviceaccounts: new Set<string>() };
  for (const spec of targetsOf(input.config)) {
    const { documents, error } = await prepareTarget(context, named, spec);
    if (error !== undefined) throw error;
    for (const { path } of documents) {
      const object = parseObjectPath(path);
      if (object === undefined) continue;
      namespaces.add(object.namespace);
      names[object.kind].add(object.name);
    }
  }
  return {
    namespaces: input.config.deliveries.some(({ options }) => isOpenEnded(options))
      ? undefined
      : [...namespaces].sort(),
    secrets: [...names.secrets].sort(),
    accounts: [...names.serviceaccounts].sort(),
  };
}

/** Namespaces may come that wharf.yaml does not name: `all`, or a selector. */
function isOpenEnded({ namespaces }: Readonly<Record<string, unknown>>): boolean {
  return namespaces !== undefined && !Array.isArray(namespaces);
}
