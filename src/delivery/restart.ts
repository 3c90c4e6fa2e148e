import type { Abilities } from "#consumers";
import { type Context, toAppError } from "#core";
import { besideConfig } from "#logins";
import type { Place } from "#places";
import { withFileLock } from "#system";
import type { PendingRestart, RestartOutcome } from "./contract.ts";
import type { PlanInput } from "./planning.ts";
import { placeFor } from "./prune.ts";
import { readState, writeState } from "./state.ts";
import { type Pause, readUnit, restartUnit } from "./systemd-unit.ts";
import { targetsOf } from "./targets.ts";

type OnRestart = Extract<Abilities["takesEffect"], { when: "on restart" }>;

/** How a consumer takes these files up, where it takes a restart; undefined where it does not. */
export function restartOf(
  input: Pick<PlanInput, "inventory">,
  name: string,
  written: readonly { readonly path: string }[],
): OnRestart | undefined {
  const effect = input.inventory.consumers.find((consumer) => consumer.name === name)?.abilities.takesEffect;
  if (effect?.when !== "on restart") return undefined;
  const { files } = effect;
  const isRead = written.some(({ path }) => files === undefined || files.some((end) => path.endsWith(end)));
  return isRead ? effect : undefined;
}

/**
 * What was written and waits for a restart, as the state remembers it, at the places of the input; `more` are places that are meant
 * too, "all" every one. In the order of wharf.yaml.
 */
export async function pendingRestarts(
  input: PlanInput,
  more: "all" | readonly string[] = [],
): Promise<readonly PendingRestart[]> {
  const { restarts } = await readState(input.config.path);
  const order = targetsOf(input.config).map(({ at }) => at.text);
  const meant = new Set([
    ...order,
    ...input.records.map(({ place }) => place),
    ...(more === "all" ? [] : more),
  ]);
  const rank = ({ place }: PendingRestart): number => {
    const found = order.indexOf(place);
    return found === -1 ? order.length : found;
  };
  return restarts
    .filter(({ place }) => more === "all" || meant.has(place))
    .toSorted((a, b) => rank(a) - rank(b));
}

/**
 * Restarts one program after the other, each seen running again before the next, and stops at the first that does not come back: a
 * mistake then costs one node. What is done leaves the state at once. `said` is called for each as it ends.
 */
export async function restartPrograms(
  context: Context,
  input: PlanInput,
  pending: readonly PendingRestart[],
  on: { readonly pause: Pause; said(outcome: RestartOutcome): void },
): Promise<readonly RestartOutcome[]> {
  const outcomes: RestartOutcome[] = [];
  for (const one of pending) {
    const isStopped = outcomes.some(({ state }) => state === "failed");
    const outcome: RestartOutcome =
      isStopped || context.signal.aborted
        ? { ...one, unit: undefined, state: "not tried", error: undefined }
        : await restartOne(context, input, one, on.pause);
    if (outcome.state === "restarted" || outcome.state === "not running") await forget(context, input, one);
    outcomes.push(outcome);
    on.said(outcome);
  }
  return outcomes;
}

async function restartOne(
  context: Context,
  input: PlanInput,
  one: PendingRestart,
  pause: Pause,
): Promise<RestartOutcome> {
  let unit: string | undefined;
  try {
    const place = await input.inventory.openPlace(context, placeFor(input, one.place), undefined);
    const effect = input.inventory.consumers.find(({ name }) => name === one.consumer)?.abilities.takesEffect;
    unit = await runningUnit(context, place, effect?.when === "on restart" ? effect.units : []);
    if (unit === undefined) return { ...one, unit, state: "not running", error: undefined };
    await restartUnit(context, place, unit, pause);
    return { ...one, unit, state: "restarted", error: undefined };
  } catch (cause) {
    return { ...one, unit, state: "failed", error: toAppError(cause) };
  }
}

/** The first of them that runs there; one that is down reads its file when it starts. */
async function runningUnit(
  context: Context,
  place: Place,
  units: readonly string[],
): Promise<string | undefined> {
  const states = await Promise.all(units.map((unit) => readUnit(context, place, unit)));
  return units.find((_, index) => {
    const state = states[index];
    return state?.isLoaded === true && state.active !== "inactive";
  });
}

async function forget(context: Context, input: PlanInput, one: PendingRestart): Promise<void> {
  const { path } = input.config;
  await withFileLock(context, `${besideConfig(path, "state")}.lock`, async () => {
    const state = await readState(path);
    const restarts = state.restarts.filter(
      ({ place, consumer }) => place !== one.place || consumer !== one.consumer,
    );
    await writeState(path, { ...state, restarts });
  });
}
