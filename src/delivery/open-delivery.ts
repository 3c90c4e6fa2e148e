import { dirname } from "node:path";
import type { Context } from "#core";
import { changeVault, createSecretReader, type Surroundings, type WharfConfig } from "#logins";
import { createInventory } from "./inventory.ts";
import type { PlanInput } from "./planning.ts";
import { createSiteHosts } from "./resolve-places.ts";
import { readState } from "./state.ts";

/**
 * Everything that planning needs, for a configuration on this machine. `forWriting` makes the vault where there is none: the marks of
 * the state need its key, even where every secret comes from another source.
 */
export async function openDelivery(
  context: Context,
  surroundings: Surroundings,
  config: WharfConfig,
  forWriting = false,
): Promise<PlanInput> {
  const secrets = createSecretReader(context, surroundings, config);
  const { records } = await readState(config.path);
  const usesVault =
    records.length > 0 || [...config.logins.values()].some((login) => login.source.kind === "vault");
  let vault = usesVault || forWriting ? await secrets.vault() : undefined;
  if (vault === undefined && forWriting)
    vault = (await changeVault(context, surroundings, config.path, (content) => content)).content;
  const base = dirname(config.path);
  const site = createSiteHosts(surroundings, base, config);
  const deliveries = await Promise.all(
    config.deliveries.map(async (delivery) => ({
      ...delivery,
      at: await site.resolve(context, delivery.at),
    })),
  );
  return {
    config: { ...config, deliveries },
    secrets,
    records,
    markKey: vault?.markKey,
    inventory: createInventory(surroundings, base, config),
    now: new Date(),
  };
}
