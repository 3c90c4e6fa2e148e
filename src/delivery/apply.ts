import { AppError, type Context, forEachAtOnce, forEachByGroup, isAppError, toAppError } from "#core";
import { besideConfig } from "#logins";
import type { Place } from "#places";
import { withFileLock } from "#system";
import { applyObjects } from "./apply-objects.ts";
import type { DeliveredRecord, FilePlan, Plan, TargetOutcome, TargetPlan } from "./contract.ts";
import { planPlace } from "./plan.ts";
import { actionOf, type PlanInput } from "./planning.ts";
import { placeFor } from "./prune.ts";
import { readAhead } from "./read-ahead.ts";
import { restartOf } from "./restart.ts";
import { joinByPlace, splitByPlace } from "./split-by-place.ts";
import { readFailed, readState, recordKey, writeState } from "./state.ts";

/**
 * Carries a plan out: each file atomically, merged again with what is there at that moment, recorded in the state at once. A target
 * that fails does not stop the others. Gives what became of each; throws only where the state itself cannot be read or written.
 */
export async function applyPlan(
  context: Context,
  input: PlanInput,
  plan: Plan,
): Promise<readonly TargetOutcome[]> {
  return await recordingOutcomes(context, input, (recorder) =>
    forEachByGroup(
      plan.targets,
      ({ place }) => place,
      (target) => applyTarget(context, input, target, { recorder, isFresh: false }),
    ),
  );
}

/**
 * Plans each place and carries that out at once, so that a place that is slow or dead holds up no other: for whoever need not be asked.
 * Gives the plan and what became of each target, in the same order; throws as planning and `applyPlan` do.
 */
export async function deliverPlaces(
  context: Context,
  input: PlanInput,
): Promise<{ readonly plan: Plan; readonly outcomes: readonly TargetOutcome[] }> {
  const targets: TargetPlan[] = [];
  const outcomes = await recordingOutcomes(context, input, async (recorder) => {
    const parts = splitByPlace(input);
    const done = await forEachAtOnce(parts, async (part) => {
      const planned = await planPlace(context, part, true);
      const pairs: { readonly target: TargetPlan; readonly outcome: TargetOutcome }[] = [];
      for (const target of planned)
        pairs.push({
          target,
          outcome: await applyTarget(context, input, target, { recorder, isFresh: true }),
        });
      return pairs;
    });
    const joined = joinByPlace(input, parts, done);
    targets.push(...joined.map(({ target }) => target));
    return joined.map(({ outcome }) => outcome);
  });
  return { plan: { targets }, outcomes };
}

/** Under the lock of the state, which knows afterwards where something failed. */
async function recordingOutcomes(
  context: Context,
  input: PlanInput,
  work: (recorder: Recorder) => Promise<readonly TargetOutcome[]>,
): Promise<readonly TargetOutcome[]> {
  const lock = `${besideConfig(input.config.path, "state")}.lock`;
  return await withFileLock(context, lock, async () => {
    const outcomes = await work(createRecorder(input.config.path));
    await rememberFailures(input.config.path, outcomes);
    return outcomes;
  });
}

async function applyTarget(
  context: Context,
  input: PlanInput,
  target: TargetPlan,
  step: { readonly recorder: Recorder; readonly isFresh: boolean },
): Promise<TargetOutcome> {
  if (context.signal.aborted) throw new AppError("INTERRUPTED", "stopped between two targets");
  const { recorder, isFresh } = step;
  const written: { path: string; action: FilePlan["action"] }[] = [];
  let canRestart = false;
  const outcome = (error: AppError | undefined): TargetOutcome => ({
    consumer: target.consumer,
    place: target.place,
    user: target.user,
    written,
    takesEffect: written.length === 0 ? undefined : effectOf(input, target.consumer, written),
    canRestart,
    refusals: target.refusals,
    warnings: target.warnings,
    error,
  });
  if (target.error !== undefined) return outcome(target.error);
  try {
    const place = await input.inventory.openPlace(context, placeFor(input, target.place), target.user);
    if (place.atOnce !== undefined) return outcome(await applyCluster({ place, atOnce: place.atOnce }));
    for (const file of target.files) {
      // A moment ago it was as it should be.
      const action = isFresh && file.action === "none" ? "none" : await applyFile(context, place, file);
      if (action !== "none") written.push({ path: file.path, action });
      const isPending =
        action !== "none" &&
        place.run !== undefined &&
        (restartOf(input, target.consumer, [file])?.units.length ?? 0) > 0;
      if (isPending) canRestart = true;
      await recorder.record(target, [file], isPending);
    }
    return outcome(undefined);
  } catch (cause) {
    return outcome(toAppError(cause));
  }

  /** What was read for the plan may be old: what is to change is read once more, at once, and merged with that. */
  async function applyCluster(at: {
    readonly place: Place;
    readonly atOnce: number;
  }): Promise<AppError | undefined> {
    const { place, atOnce } = at;
    const [same, files] = partition(target.files, ({ action }) => action === "none");
    const ahead = await readAhead(
      context,
      place,
      files.map(({ path }) => path),
    );
    const { done, error } = await applyObjects(context, { files, atOnce }, (file) =>
      applyFile(context, place, file, ahead),
    );
    written.push(
      ...done
        .filter(({ action }) => action !== "none")
        .map(({ file: { path }, action }) => ({ path, action })),
    );
    // Objects that are as they should be are known as ours again, even where a run before this one was killed.
    const known = new Set(input.records);
    const news = [...same.filter((file) => !isRecorded(known, file)), ...done.map(({ file }) => file)];
    if (news.length > 0) await recorder.record(target, news);
    return error;
  }
}

/** Does the state say of this file what it would be told: its plan has the very same records then. */
function isRecorded(known: ReadonlySet<DeliveredRecord>, file: FilePlan): boolean {
  return file.forgets.length === 0 && file.records.every((record) => known.has(record));
}

function partition<T>(
  items: readonly T[],
  isFirst: (item: T) => boolean,
): readonly [readonly T[], readonly T[]] {
  const groups = Map.groupBy(items, isFirst);
  return [groups.get(true) ?? [], groups.get(false) ?? []];
}

function effectOf(
  input: PlanInput,
  name: string,
  written: readonly { readonly path: string }[],
): string | undefined {
  const effect = input.inventory.consumers.find((consumer) => consumer.name === name)?.abilities.takesEffect;
  if (effect?.when === "after") return `takes effect within ${effect.seconds} seconds`;
  const restart = restartOf(input, name, written);
  return restart === undefined ? undefined : `takes effect after a restart of ${restart.of}`;
}

/** Somebody may write again and again; each time it is merged anew. */
const TRIES = 30;

/** As it is there now, merged and written; anew where it changed between reading and writing. */
async function applyFile(
  context: Context,
  place: Place,
  file: FilePlan,
  ahead?: Place,
): Promise<FilePlan["action"]> {
  for (let tried = 1; ; tried++) {
    try {
      const reading = tried === 1 ? (ahead ?? place) : place;
      return await applyOnce(context, { reading, place }, file);
    } catch (cause) {
      if (!isAppError(cause, "CONFLICT") || cause.details?.["stale"] !== true || tried === TRIES) throw cause;
    }
  }
}

async function applyOnce(
  context: Context,
  { reading, place }: { readonly reading: Place; readonly place: Place },
  file: FilePlan,
): Promise<FilePlan["action"]> {
  const current = (await reading.read(context, file.path))?.bytes;
  const { content } = file.merge(current);
  const changed = actionOf(current, content);
  const action = changed === "none" && file.tightens ? "update" : changed;
  if (action === "remove") await place.remove(context, file.path);
  else if (action !== "none" && content !== undefined)
    await place.write(context, file.path, content, { mode: file.mode, folderMode: file.folderMode });
  return action;
}

/** For `--retry-failed`: places that were not delivered to this time keep what was said of them. */
async function rememberFailures(configPath: string, outcomes: readonly TargetOutcome[]): Promise<void> {
  const failed = await readFailed(configPath);
  const tried = new Set(outcomes.map(({ place }) => place));
  const next = new Set(failed.filter((place) => !tried.has(place)));
  for (const { place, error } of outcomes) if (error !== undefined) next.add(place);
  if (failed.length === next.size && failed.every((place) => next.has(place))) return;
  await writeState(configPath, { ...(await readState(configPath)), failed: [...next] });
}

interface Recorder {
  /**
   * Puts into the state what is ours in the files now, takes out what left them, and remembers whether the program has to be restarted.
   * On disk when it returns.
   */
  record(target: TargetPlan, files: readonly FilePlan[], isPending?: boolean): Promise<void>;
}

/** Many targets end at once: while one state is written, what comes in goes into the next. */
function createRecorder(configPath: string): Recorder {
  let pending: [TargetPlan, readonly FilePlan[], boolean][] = [];
  let writing: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;

  async function write(): Promise<void> {
    next = undefined;
    const batch = pending;
    pending = [];
    const { records, failed, restarts } = await readState(configPath);
    const known = new Map(records.map((record) => [recordKey(record), record]));
    for (const [target, files] of batch)
      for (const file of files) {
        const at = { place: target.place, user: target.user, file: file.path };
        for (const key of file.forgets) known.delete(recordKey({ ...at, key }));
        for (const one of file.records) known.set(recordKey(one), one);
      }
    const added = batch
      .filter(([, , isPending]) => isPending)
      .map(([{ place, consumer }]) => ({ place, consumer }));
    await writeState(configPath, {
      records: [...known.values()],
      failed,
      restarts: [...restarts, ...added],
    });
  }

  return {
    async record(target, files, isPending = false) {
      pending.push([target, files, isPending]);
      if (next === undefined) {
        // A write that failed is told to those who waited for it; the next may do better.
        next = writing.then(write, write);
        writing = next;
      }
      await next;
    },
  };
}
