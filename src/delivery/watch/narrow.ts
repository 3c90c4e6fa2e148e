import { parseObjectPath } from "#core";
import type { PlanInput } from "../planning.ts";
import type { Scope } from "./work-queue.ts";

/** The same configuration as if the cluster had these namespaces alone; what was delivered into others is out of sight, and stays. */
export function narrowTo(input: PlanInput, scope: Scope): PlanInput {
  if (scope === "all") return input;
  const { inventory } = input;
  return {
    ...input,
    records: input.records.filter(({ file }) => {
      const object = parseObjectPath(file);
      return object !== undefined && scope.has(object.namespace);
    }),
    inventory: {
      ...inventory,
      async openPlace(context, at, user) {
        const place = await inventory.openPlace(context, at, user);
        const { cluster } = place;
        if (cluster === undefined) return place;
        return {
          ...place,
          cluster: {
            ...cluster,
            namespaces: async (again, options) =>
              (await cluster.namespaces(again, options)).filter((name) => scope.has(name)),
          },
        };
      },
    },
  };
}
