import { AppError, type Context, toAppError } from "#core";
import type { Cluster } from "#places";
import { wait } from "#system";
import { applyPlan } from "../apply.ts";
import { isPlanQuiet } from "../check.ts";
import type { DeliveredRecord, Plan, TargetOutcome } from "../contract.ts";
import { planDelivery } from "../plan.ts";
import type { PlanInput } from "../planning.ts";
import { expiryOf } from "../prove-logins.ts";
import { readState, recordKey } from "../state.ts";
import { ExpiryAnnouncer } from "./expiry-announcer.ts";
import type { WatchFigures } from "./figures.ts";
import { createKeptState, type KeptState } from "./kept-state.ts";
import { narrowTo } from "./narrow.ts";
import { observedOf } from "./observed.ts";
import { type Scope, WorkQueue } from "./work-queue.ts";

export interface WatchParts {
  /** The configuration as it is now, held to one place that is a cluster; ready for writing. */
  readonly open: () => Promise<PlanInput>;
  /** Different when wharf.yaml or the vault changed. */
  readonly stamp: () => Promise<string>;
  readonly lease: { readonly namespace: string | undefined; readonly name: string; readonly holder: string };
  /** The state beside the configuration does not last: it is kept in the cluster too. */
  readonly keepsState: boolean;
  readonly figures: WatchFigures;
  /** Everything is looked at so often, and secrets are read anew; milliseconds. */
  readonly resyncMs: number;
  readonly now: () => Date;
}

const STAMP_EVERY_MS = 3_000;

/**
 * Keeps a cluster as wharf.yaml says, until the context ends: what comes and what somebody changes is delivered at once, with the same plan
 * and apply as by hand. One process at a time, by a Lease. Throws where the configuration cannot be watched at all.
 */
export async function watchPlace(context: Context, parts: WatchParts): Promise<void> {
  const { cluster } = await openWatched(context, parts);
  const announcer = new ExpiryAnnouncer();
  await cluster.lead(context, parts.lease, async (leading) => {
    parts.figures.isLeading = true;
    const kept = parts.keepsState ? createKeptState(cluster, parts.lease) : undefined;
    try {
      while (!leading.signal.aborted) await watchOnce(leading, parts, { announcer, kept });
    } finally {
      parts.figures.isLeading = false;
    }
  });
}

/** Until the configuration changes, a resync is due, or the context ends. */
async function watchOnce(
  context: Context,
  parts: WatchParts,
  term: Pick<WorkStep, "announcer" | "kept">,
): Promise<void> {
  const stamp = await parts.stamp();
  const { input, cluster } = await openWatched(context, parts);
  const observed = await observedOf(context, input);
  tellExpiries(context, parts, input);
  const queue = new WorkQueue();
  const ended = new AbortController();
  const signal = AbortSignal.any([context.signal, ended.signal]);
  const own: Context = { ...context, signal };
  const parallel = [
    cluster.observe(own, observed, (namespace) => queue.add(namespace)),
    untilChanged(own, parts, stamp),
    work(own, parts, { ...term, input, queue, cluster }),
  ];
  // What was delivered and is wanted no more is in the state, and no event tells of it.
  queue.addAll();
  try {
    await Promise.race(parallel);
  } finally {
    ended.abort();
    queue.close();
    await Promise.allSettled(parallel);
  }
}

async function openWatched(
  context: Context,
  parts: WatchParts,
): Promise<{ readonly input: PlanInput; readonly cluster: Cluster }> {
  const input = await parts.open();
  const [delivery] = input.config.deliveries;
  if (delivery === undefined)
    throw new AppError("CONFIG_INVALID", "wharf.yaml delivers nothing to this place", {
      hint: "write a line under deliver:, as `{ to: kubernetes, at: k8s://CONTEXT, namespaces: all }`",
    });
  const { cluster } = await input.inventory.openPlace(context, delivery.at, undefined);
  if (cluster !== undefined) return { input, cluster };
  throw new AppError(
    "UNSUPPORTED",
    `${delivery.at.text} is no Kubernetes API, and only that tells what changes`,
    {
      hint: "for other places run `wharf apply --yes` from a systemd timer or cron; `wharf check` says what drifted",
    },
  );
}

async function untilChanged(context: Context, parts: WatchParts, stamp: string): Promise<void> {
  const until = performance.now() + parts.resyncMs;
  while (!context.signal.aborted && performance.now() < until) {
    await wait(STAMP_EVERY_MS, context.signal).catch(() => undefined);
    if (context.signal.aborted || (await parts.stamp()) === stamp) continue;
    context.log.info("the configuration changed and is read anew");
    return;
  }
}

interface WorkStep {
  readonly input: PlanInput;
  readonly queue: WorkQueue;
  readonly cluster: Cluster;
  readonly announcer: ExpiryAnnouncer;
  readonly kept: KeptState | undefined;
}

async function work(context: Context, parts: WatchParts, step: WorkStep): Promise<void> {
  const { queue } = step;
  const said = new Set<string>();
  for (;;) {
    const scope = await queue.next(context.signal);
    if (scope === undefined) return;
    const error = await reconcile(context, parts, { ...step, scope, said });
    if (context.signal.aborted) return;
    await announceExpiries(context, parts, { ...step, scope });
    if (error === undefined) queue.succeeded(scope);
    else queue.failed(scope);
    parts.figures.waiting = queue.size;
  }
}

async function reconcile(
  context: Context,
  { figures, now }: WatchParts,
  step: Pick<WorkStep, "input" | "kept"> & { readonly scope: Scope; readonly said: Set<string> },
): Promise<AppError | undefined> {
  const { input, kept, scope, said } = step;
  const started = performance.now();
  try {
    await kept?.restore(context, input.config.path);
    const { records } = await readState(input.config.path);
    const places = new Set(input.config.deliveries.map(({ at }) => at.text));
    const known = records.filter(({ place }) => places.has(place));
    const narrowed = narrowTo({ ...input, records: known, now: now() }, scope);
    const plan = await planDelivery(context, narrowed);
    let outcomes: readonly TargetOutcome[] = [];
    try {
      if (!isSettled(plan, narrowed.records)) outcomes = await applyPlan(context, narrowed, plan);
    } finally {
      // What was done is kept where the rest failed, too.
      await kept?.save(context, input.config.path, places);
    }
    const errors = [...outcomes, ...plan.targets].flatMap(({ error }) =>
      error === undefined ? [] : [error],
    );
    tellOutcomes(context, figures, { outcomes, scope, ms: performance.now() - started });
    tellRefusals(
      context,
      plan.targets.flatMap(({ refusals }) => refusals),
      said,
    );
    const [error] = errors;
    figures.failing = error !== undefined;
    if (error === undefined) figures.lastGoodAt = Date.now();
    else if (!context.signal.aborted) {
      figures.errors += 1;
      context.log.warn("not everything could be delivered; it is tried again", { error, hint: error.hint });
    }
    return error;
  } catch (cause) {
    const error = toAppError(cause);
    if (!context.signal.aborted) {
      figures.errors += 1;
      figures.failing = true;
      context.log.error("delivering failed; it is tried again", { error });
    }
    return error;
  }
}

/** Nothing is to be written, neither there nor into the state (which lacks what a lost one knew, and keeps what was in a namespace that went). */
function isSettled(plan: Plan, records: readonly DeliveredRecord[]): boolean {
  if (!isPlanQuiet(plan)) return false;
  const known = new Set(records.map(recordKey));
  return plan.targets.every(({ files }) =>
    files.every(
      (file) => file.forgets.length === 0 && file.records.every((one) => known.has(recordKey(one))),
    ),
  );
}

function tellOutcomes(
  context: Context,
  figures: WatchFigures,
  step: { readonly outcomes: readonly TargetOutcome[]; readonly scope: Scope; readonly ms: number },
): void {
  const written = step.outcomes.flatMap((outcome) => outcome.written);
  figures.looks += 1;
  figures.written += written.length;
  if (written.length === 0) return;
  context.log.info("delivered", {
    written: written.length,
    first: written[0]?.path,
    namespaces: step.scope === "all" ? "all" : step.scope.size,
    ms: Math.round(step.ms),
  });
}

/** Each once: the same refusal comes again with each look. */
function tellRefusals(
  context: Context,
  refusals: readonly { readonly login: string; readonly reason: string; readonly hint?: string }[],
  said: Set<string>,
): void {
  for (const { login, reason, hint } of refusals) {
    const key = `${login}: ${reason}`;
    if (said.has(key) || said.size > 1000) continue;
    said.add(key);
    context.log.warn("refused", { login, reason, ...(hint === undefined ? {} : { hint }) });
  }
}

async function announceExpiries(
  context: Context,
  parts: WatchParts,
  step: WorkStep & { readonly scope: Scope },
): Promise<void> {
  const { input, cluster, scope } = step;
  const now = parts.now();
  const ends = parts.figures.expiries.some(({ at }) => isEnding(at, now));
  // The state is read for it, which is long in a large cluster.
  if (!ends) return;
  const places = new Set(input.config.deliveries.map(({ at }) => at.text));
  const { records } = await readState(input.config.path);
  const own = narrowTo({ ...input, records: records.filter(({ place }) => places.has(place)) }, scope);
  parts.figures.announced += await step.announcer.announce(context, {
    cluster,
    config: input.config,
    records: own.records,
    scope,
    now,
    reporter: parts.lease.holder,
  });
}

function isEnding(expires: Date, now: Date): boolean {
  const expiry = expiryOf({ expires }, now);
  return expiry === "expired" || expiry === "expires soon";
}

function tellExpiries(context: Context, { figures, now }: WatchParts, input: PlanInput): void {
  const wanted = new Set(
    input.config.deliveries.flatMap(({ logins }) => logins ?? [...input.config.logins.keys()]),
  );
  figures.expiries = [...input.config.logins.values()]
    .filter(({ name }) => wanted.has(name))
    .flatMap((login) => (login.expires === undefined ? [] : [{ login: login.name, at: login.expires }]));
  for (const { login, at } of figures.expiries) {
    if (!isEnding(at, now())) continue;
    context.log.warn(at <= now() ? "a login has expired" : "a login expires soon", {
      login,
      expires: at.toISOString(),
    });
  }
}
