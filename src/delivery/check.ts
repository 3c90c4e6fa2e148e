import type { Context } from "#core";
import type { Login } from "#logins";
import type { Fetch } from "#system";
import type { Plan, TargetPlan } from "./contract.ts";
import { planDelivery } from "./plan.ts";
import type { PlanInput } from "./planning.ts";
import { proveFromTargets, type TargetProof } from "./prove-from-targets.ts";
import { isLoginOff, type LoginStatus, proveLogins } from "./prove-logins.ts";

/** What `wharf check` found: the plan as it would be now, and what each delivered login's registry says. */
export interface CheckReport {
  readonly plan: Plan;
  readonly logins: readonly LoginStatus[];
  /** What was asked from the targets; empty where nobody wished it. */
  readonly fromTargets: readonly TargetProof[];
  /** Logins whose rotation was begun and did not come to its end, with when. */
  readonly rotations: ReadonlyMap<string, string>;
  /** True: every target has what it should, and every login is good. */
  readonly isGood: boolean;
}

/** How a check looks. */
export interface CheckWish {
  /** undefined: no registry is asked. */
  readonly fetch: Fetch | undefined;
  /** A login that ends within so many days is off; undefined: it is warned of, two weeks before. */
  readonly warnDays?: number | undefined;
  /** Ask from each target too, with what lies there. */
  readonly fromTargets?: boolean;
  /** Images that pods pull where a target is a cluster. */
  readonly images?: readonly string[];
}

const DAY_MS = 24 * 3600 * 1000;

/** Compares targets with wharf.yaml (drift, missing, stale) and asks the registries. Writes nothing. */
export async function checkDelivery(
  context: Context,
  input: PlanInput,
  { fetch, warnDays, fromTargets: isFromTargets, images }: CheckWish,
): Promise<CheckReport> {
  const plan = await planDelivery(context, input);
  const delivered = deliveredLogins(input);
  const logins =
    fetch === undefined
      ? []
      : await proveLogins(context, delivered, {
          fetch,
          now: input.now,
          secrets: input.secrets,
          rateLimits: true,
          ...(warnDays === undefined ? {} : { soonMs: warnDays * DAY_MS }),
        });
  const isOff = (status: LoginStatus): boolean =>
    isLoginOff(status) || (warnDays !== undefined && status.expiry === "expires soon");
  const vault = input.markKey === undefined ? undefined : await input.secrets.vault();
  const rotations = new Map(
    [...(vault?.rotations ?? [])].map(([name, { startedAt }]) => [name, startedAt] as const),
  );
  const fromTargets = isFromTargets === true ? await proveFromTargets(context, input, images) : [];
  const isGood =
    plan.targets.every(isTargetGood) &&
    !logins.some(isOff) &&
    rotations.size === 0 &&
    fromTargets.every(({ error }) => error === undefined);
  return { plan, logins, fromTargets, rotations, isGood };
}

/** True where nothing would change and nothing was refused or failed. */
export function isPlanQuiet(plan: Plan): boolean {
  return plan.targets.every(isTargetQuiet);
}

/** Nothing to write, and what is there is what the program uses. */
export function isTargetGood(target: TargetPlan): boolean {
  return isTargetQuiet(target) && target.shadowed.length === 0;
}

function isTargetQuiet(target: TargetPlan): boolean {
  return (
    target.error === undefined &&
    target.refusals.length === 0 &&
    target.files.every((file) => file.action === "none")
  );
}

/** Logins that some delivery names; all of them where nothing is delivered yet. */
function deliveredLogins(input: PlanInput): readonly Login[] {
  const { logins, deliveries } = input.config;
  if (deliveries.length === 0) return [...logins.values()];
  const names = new Set(
    deliveries.flatMap((delivery) =>
      delivery.users === undefined
        ? [...(delivery.logins ?? logins.keys())]
        : [...delivery.users.values()].flat(),
    ),
  );
  return [...logins.values()].filter((login) => names.has(login.name));
}
