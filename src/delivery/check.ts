import type { Context } from "#core";
import type { Login } from "#logins";
import type { Fetch } from "#system";
import type { Plan } from "./contract.ts";
import { planDelivery } from "./plan.ts";
import type { PlanInput } from "./planning.ts";
import { isLoginOff, type LoginStatus, proveLogins } from "./prove-logins.ts";

/** What `wharf check` found: the plan as it would be now, and what each delivered login's registry says. */
export interface CheckReport {
  readonly plan: Plan;
  readonly logins: readonly LoginStatus[];
  /** True: every target has what it should, and every login is good. */
  readonly isGood: boolean;
}

/** Compares targets with wharf.yaml (drift, missing, stale) and asks the registries. `fetch` undefined: asks nobody. Writes nothing. */
export async function checkDelivery(
  context: Context,
  input: PlanInput,
  fetch: Fetch | undefined,
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
        });
  const isRead = plan.targets.every((target) => target.shadowed.length === 0);
  return { plan, logins, isGood: isPlanQuiet(plan) && isRead && !logins.some(isLoginOff) };
}

/** True where nothing would change and nothing was refused or failed. */
export function isPlanQuiet(plan: Plan): boolean {
  return plan.targets.every(
    (target) =>
      target.error === undefined &&
      target.refusals.length === 0 &&
      target.files.every((file) => file.action === "none"),
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
