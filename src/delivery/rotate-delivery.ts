import type { Context } from "#core";
import { applyPlan } from "./apply.ts";
import type { TargetOutcome, TargetPlan } from "./contract.ts";
import { planDelivery } from "./plan.ts";
import type { PlanInput } from "./planning.ts";
import type { Remaining, RotateInput } from "./rotate-contract.ts";
import { consumerNamed, targetsOf } from "./targets.ts";

/** What became of a delivery of one login to all its targets. */
export interface RotatedDelivery {
  readonly outcomes: readonly TargetOutcome[];
  /** Targets that may still hold, or be given, the secret that is to leave. */
  readonly remaining: readonly Remaining[];
  readonly written: readonly { readonly place: string; readonly consumer: string }[];
  readonly hasWritten: boolean;
}

/** Brings every target that a login goes to, or was delivered to, to what wharf.yaml and vault say; other targets are left alone. */
export async function deliverRotated(
  context: Context,
  input: PlanInput,
  login: string,
): Promise<RotatedDelivery> {
  const plan = await planDelivery(context, input);
  const isMeant = meantTargets(input, login);
  const targets = plan.targets.filter((target) => isMeant(target) || isTouched(target, login));
  const outcomes = await applyPlan(context, input, { targets });
  const written = outcomes.filter((outcome) => outcome.written.length > 0);
  return { outcomes, written, hasWritten: written.length > 0, remaining: outcomes.flatMap(remainingOf) };

  function remainingOf(outcome: TargetOutcome): readonly Remaining[] {
    const at = { kind: "target", place: outcome.place, consumer: outcome.consumer } as const;
    if (outcome.error !== undefined) return [{ ...at, why: outcome.error.message }];
    // Refused, and never delivered there: no copy of the old secret is left behind.
    const refusal = outcome.refusals.find((one) => one.login === login);
    const isThere = input.records.some(
      (record) =>
        record.login === login &&
        record.place === outcome.place &&
        record.user === outcome.user &&
        record.consumer === outcome.consumer,
    );
    return refusal !== undefined && isThere
      ? [{ ...at, why: `it has the old secret, and the new one is refused: ${refusal.reason}` }]
      : [];
  }
}

/** Waits for what time alone brings since `sinceMs`, unless told not to; gives what remains. */
export async function waitForEffects(
  context: Context,
  input: Pick<RotateInput, "now" | "wait" | "noWait" | "takenUp" | "said">,
  about: {
    readonly delivery: Pick<PlanInput, "config" | "inventory">;
    readonly login: string;
    readonly sinceMs: number;
  },
): Promise<readonly Remaining[]> {
  const remaining = remainingEffects(about.delivery, about.login, about.sinceMs).filter(
    (one) =>
      !(input.takenUp && (one.kind === "restart" || one.kind === "roll-out")) &&
      !(one.kind === "wait" && one.until.getTime() <= input.now()),
  );
  // Nothing is gained by waiting while a person has something to do first.
  if (input.noWait || remaining.some((one) => one.kind !== "wait")) return remaining;
  const until = Math.max(0, ...remaining.map((one) => (one.kind === "wait" ? one.until.getTime() : 0)));
  const ms = until - input.now();
  if (ms > 0) {
    input.said("waiting", `${Math.ceil(ms / 1000)} seconds`);
    await input.wait(ms, context.signal);
  }
  return [];
}

/** What has to happen, or to pass, until the programs of a login's targets use what was delivered at `sinceMs`. */
function remainingEffects(
  input: Pick<PlanInput, "config" | "inventory">,
  login: string,
  sinceMs: number,
): readonly Remaining[] {
  const remaining = new Map<string, Remaining>();
  for (const spec of targetsOf(input.config)) {
    if (!spec.logins.includes(login)) continue;
    const { consumer, at } = spec;
    const add = (one: Remaining): void => void remaining.set(JSON.stringify([consumer, at.text]), one);
    const { takesEffect } = consumerNamed(input.inventory.consumers, consumer).abilities;
    const of = takesEffect.when === "on restart" ? takesEffect.of : undefined;
    if (at.kind === "folder") add({ kind: "roll-out", place: at.text, consumer, of });
    else if (takesEffect.when === "on restart")
      add({ kind: "restart", place: at.text, consumer, of: takesEffect.of });
    else if (takesEffect.when === "after")
      add({
        kind: "wait",
        until: new Date(sinceMs + takesEffect.seconds * 1000),
        why: `${consumer} at ${at.text} looks again after ${takesEffect.seconds} seconds`,
      });
  }
  return [...remaining.values()];
}

/** Is a target one that wharf.yaml gives the login to: one that failed has no files to tell by. */
function meantTargets(input: PlanInput, login: string): (target: TargetPlan) => boolean {
  const keys = new Set(
    targetsOf(input.config)
      .filter((spec) => spec.logins.includes(login))
      .map((spec) => JSON.stringify([spec.consumer, spec.at.text, spec.user ?? ""])),
  );
  return (target) => keys.has(JSON.stringify([target.consumer, target.place, target.user ?? ""]));
}

function isTouched(target: TargetPlan, login: string): boolean {
  return target.files.some(
    (file) =>
      file.records.some((record) => record.login === login) ||
      file.changes.some((change) => change.login === login),
  );
}
