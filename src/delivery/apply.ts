import { AppError, type Context, toAppError } from "#core";
import { besideConfig } from "#logins";
import type { Place } from "#places";
import { withFileLock } from "#system";
import type { FilePlan, Plan, TargetOutcome, TargetPlan } from "./contract.ts";
import { actionOf, type PlanInput } from "./planning.ts";
import { placeFor } from "./prune.ts";
import { readState, recordKey, writeState } from "./state.ts";

/**
 * Carries a plan out: each file atomically, merged again with what is there at that moment, recorded in the state at once. A target
 * that fails does not stop the others. Gives what became of each; throws only where the state itself cannot be read or written.
 */
export async function applyPlan(
  context: Context,
  input: PlanInput,
  plan: Plan,
): Promise<readonly TargetOutcome[]> {
  const lock = `${besideConfig(input.config.path, "state")}.lock`;
  return await withFileLock(context, lock, async () => {
    const outcomes: TargetOutcome[] = [];
    for (const target of plan.targets) {
      if (context.signal.aborted) throw new AppError("INTERRUPTED", "stopped between two targets");
      outcomes.push(await applyTarget(context, input, target));
    }
    return outcomes;
  });
}

async function applyTarget(context: Context, input: PlanInput, target: TargetPlan): Promise<TargetOutcome> {
  const written: { path: string; action: FilePlan["action"] }[] = [];
  const outcome = (error: AppError | undefined): TargetOutcome => ({
    consumer: target.consumer,
    place: target.place,
    user: target.user,
    written,
    refusals: target.refusals,
    warnings: target.warnings,
    error,
  });
  if (target.error !== undefined) return outcome(target.error);
  try {
    const place = await input.inventory.openPlace(context, placeFor(input, target.place), target.user);
    for (const file of target.files) {
      const action = await applyFile(context, place, file);
      if (action !== "none") written.push({ path: file.path, action });
      await record(input.config.path, target, file);
    }
    return outcome(undefined);
  } catch (cause) {
    return outcome(toAppError(cause));
  }
}

async function applyFile(context: Context, place: Place, file: FilePlan): Promise<FilePlan["action"]> {
  const current = (await place.read(context, file.path))?.bytes;
  const { content } = file.merge(current);
  const changed = actionOf(current, content);
  const action = changed === "none" && file.tightens ? "update" : changed;
  if (action === "remove") await place.remove(context, file.path);
  else if (action !== "none" && content !== undefined)
    await place.write(context, file.path, content, { mode: file.mode, folderMode: file.folderMode });
  return action;
}

/** Puts into the state what is ours in the file now, and takes out what left it. */
async function record(configPath: string, target: TargetPlan, file: FilePlan): Promise<void> {
  const { records } = await readState(configPath);
  const at = { place: target.place, user: target.user, file: file.path };
  const next = new Map(records.map((known) => [recordKey(known), known]));
  for (const key of file.forgets) next.delete(recordKey({ ...at, key }));
  for (const one of file.records) next.set(recordKey(one), one);
  await writeState(configPath, [...next.values()]);
}
