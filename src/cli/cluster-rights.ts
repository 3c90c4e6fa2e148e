import { AppError } from "#core";
import type { KubeRights } from "#delivery";
import type { Invocation, OptionSpec } from "./command.ts";
import { surroundingsOf } from "./delivery-surroundings.ts";

/** `--at` of the commands that are about one cluster. */
export const CLUSTER_OPTION: OptionSpec = {
  flag: "--at <place>",
  summary: "the deliveries at this place, where wharf.yaml has several clusters",
};

/**
 * The rights at the cluster of `--at`, or at the only one that wharf.yaml names. Throws USAGE where that is none or several, and what
 * `rightsOf` throws.
 */
export async function readClusterRights(invocation: Invocation): Promise<KubeRights> {
  const { readConfig } = await import("#logins");
  const { createInventory, rightsOf } = await import("#delivery");
  const surroundings = surroundingsOf(invocation);
  const config = await readConfig(surroundings, invocation.configFile);
  const inventory = createInventory(surroundings, invocation.cwd);
  const all = await rightsOf(invocation.context, { config, inventory });
  const at = invocation.options["at"];
  const [rights, ...others] = typeof at === "string" ? all.filter(({ place }) => place === at) : all;
  const known = all.map(({ place }) => place).join(", ");
  if (rights === undefined)
    throw new AppError("USAGE", `nothing is delivered at ${JSON.stringify(at)}`, {
      hint: `deliveries are at ${known}`,
    });
  if (others.length > 0)
    throw new AppError("USAGE", "wharf.yaml delivers to several clusters", {
      hint: `say which with --at: ${known}`,
    });
  return rights;
}
