import type { ConsumerLogin } from "#consumers";
import { type Context, isAppError, Secret } from "#core";
import type { Place } from "#places";
import { programsOf, targetOf } from "./inventory.ts";
import type { Inventory } from "./targets.ts";

/** A line that `deliver:` could have, and what on this machine speaks for it. */
export interface Proposal {
  readonly delivery: { readonly to: string; readonly at: "local" };
  readonly because: readonly string[];
}

/** Compiled only to learn which file a program's logins are written to; it goes nowhere. */
const SAMPLE: ConsumerLogin = {
  name: "sample",
  registry: "registry.example",
  path: undefined,
  username: "nobody",
  secret: new Secret("nothing"),
};

/**
 * Looks round this machine: every consumer whose program is on PATH, or whose file is there. Nothing is executed but the programs'
 * own `--version`. Empty where nothing is found. Never proposed: a consumer without a
 * file of its own here (kubernetes), and containerd, which comes with every Docker engine.
 */
export async function proposeDeliveries(
  context: Context,
  inventory: Inventory,
): Promise<readonly Proposal[]> {
  const place = await inventory.openPlace(context, { kind: "local", text: "local" }, undefined);
  const proposals: Proposal[] = [];
  for (const consumer of inventory.consumers) {
    if (consumer.name === "kubernetes" || consumer.name === "containerd") continue;
    const programs = await programsOf(context, place, consumer);
    const because = programs.map(({ program, version }) => `${program} ${version} is installed`);
    const target = await targetOf(context, place, consumer, {});
    const own = consumer.compile([SAMPLE], target).documents[0]?.path;
    const isThere = own !== undefined && (await canRead(context, place, own));
    if (isThere) because.push(`${own} is there`);
    if (because.length > 0) proposals.push({ delivery: { to: consumer.name, at: "local" }, because });
  }
  return proposals;
}

/** Not one that only root may read: this user could not deliver there. */
async function canRead(context: Context, place: Place, path: string): Promise<boolean> {
  try {
    return (await place.read(context, path)) !== undefined;
  } catch (cause) {
    if (isAppError(cause, "PERMISSION_DENIED")) return false;
    throw cause;
  }
}
