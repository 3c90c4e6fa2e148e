import type { Context } from "#core";
import type { Observed } from "#places";
import { rightsOf } from "../kube-rights.ts";
import type { PlanInput } from "../planning.ts";

/**
 * The objects that the deliveries of a place are made of, by their names: what is to be watched. Where every namespace is named in
 * wharf.yaml those alone, else all of the cluster. Throws CONFIG_INVALID for what cannot be delivered at all.
 */
export async function observedOf(context: Context, input: PlanInput): Promise<Observed> {
  const [all] = await rightsOf(context, input);
  const rights = all?.rights ?? [];
  const named = (kind: string): readonly string[] => [
    ...new Set(rights.filter((one) => one.kind === kind).flatMap(({ names }) => names)),
  ];
  return {
    namespaces:
      all?.findsNamespaces === true
        ? undefined
        : [...new Set(rights.flatMap(({ namespace }) => namespace ?? []))],
    secrets: named("secrets"),
    accounts: named("serviceaccounts"),
  };
}
