import { AppError } from "#core";
import type { Plan, PlanInput, RestartOutcome, TargetOutcome } from "#delivery";
import type { Command, Invocation } from "../command.ts";
import { AT_OPTION, chosenDeliveryOf } from "../delivery-surroundings.ts";
import { proposeAndWrite } from "../propose-deliveries.ts";
import { outcomesDocument, planDocument, renderOutcomes, renderPlan } from "../render-plan.ts";
import { renderRestart, restartsDocument } from "../render-restart.ts";

export const apply: Command = {
  path: ["apply"],
  doing: "delivering",
  summary: "write the logins to every program that wharf.yaml delivers to",
  description:
    "Shows the plan and asks; --yes does not ask. Foreign entries, comments and unknown fields stay. A second apply writes nothing. Where one target fails the others are done all the same, and the exit code is 3.\n\ncontainerd, k3s, RKE2, CRI-O and the kubelet (its plugins) read what was written when they start. --restart restarts them by systemd, one after the other, each seen running again before the next; it stops at the first that does not come back. What waits for a restart is remembered, so that it can be done in another run. Running containers stay.\n\nWithout a delivery in wharf.yaml it proposes what fits this machine.",
  examples: [
    { command: "wharf apply", says: "shows the plan, asks, writes" },
    { command: "wharf apply --yes", says: "for scripts" },
    { command: "wharf apply --restart", says: "and restarts what reads its logins at its start" },
  ],
  options: [
    { flag: "--yes", summary: "do not ask" },
    AT_OPTION,
    {
      flag: "--restart",
      summary: "restart the programs that read their logins at their start, one after the other",
    },
    { flag: "--retry-failed", summary: "only the places where something failed the last time" },
  ],
  async run(invocation) {
    const { terminal, context, options } = invocation;
    const isSure = options["yes"] === true;
    let input = await chosenDeliveryOf(invocation);
    if (input.config.deliveries.length === 0 && input.records.length === 0) {
      if (!(await proposeAndWrite(invocation, input.config.path, isSure))) return 0;
      input = await chosenDeliveryOf(invocation);
    }
    const { isPlanQuiet, pendingRestarts, restartPrograms } = await import("#delivery");
    const done = isSure ? await deliverUnasked(invocation, input) : await deliverAsked(invocation, input);
    if (done === undefined) return 0;
    const { plan: made, outcomes } = done;
    const isQuiet = isPlanQuiet(made);
    if (!invocation.json && isQuiet) terminal.err("nothing to do: every target has what it should\n");
    else if (!invocation.json) {
      terminal.out(renderOutcomes(outcomes.map(onlyNews), terminal.color));
      if (options["restart"] !== true && outcomes.some(({ canRestart }) => canRestart))
        terminal.err(
          "hint: wharf apply --restart restarts what reads its logins at its start, one after the other\n",
        );
    }
    const restarts = options["restart"] === true ? await restart(outcomes) : [];
    if (invocation.json)
      terminal.out(
        `${JSON.stringify({ config: input.config.path, plan: planDocument(made), targets: outcomesDocument(outcomes), restarts: restartsDocument(restarts) })}\n`,
      );
    return exitOf([
      ...outcomes.map(({ error, refusals }) => ({ error, refused: refusals.length > 0 })),
      ...restarts.map(({ error, state }) => ({ error, refused: state === "not tried" })),
    ]);

    async function restart(after: readonly TargetOutcome[]): Promise<readonly RestartOutcome[]> {
      const isWhole = options["at"] === undefined && options["retryFailed"] !== true;
      const pending = await pendingRestarts(input, isWhole ? "all" : after.map(({ place }) => place));
      if (pending.length === 0) {
        if (!invocation.json) terminal.err("nothing waits for a restart\n");
        return [];
      }
      const names = pending.map(({ consumer, place }) => `${consumer} at ${place}`);
      const question = `restart ${names.slice(0, 3).join(", ")}${names.length > 3 ? ` and ${names.length - 3} more` : ""}?`;
      if (!isSure && !(await confirmed(invocation, question, "nothing was restarted"))) return [];
      const { wait } = await import("#system");
      return await restartPrograms(context, input, pending, {
        pause: wait,
        said: (outcome) => {
          if (!invocation.json) terminal.out(renderRestart(outcome, terminal.color));
        },
      });
    }

    /** What the plan said of a target already is not said twice. */
    function onlyNews(outcome: TargetOutcome): TargetOutcome {
      const isOld = made.targets.some(
        (target) => target.error !== undefined && target.error === outcome.error,
      );
      return isOld ? { ...outcome, error: undefined } : outcome;
    }
  },
};

interface Delivered {
  readonly plan: Plan;
  readonly outcomes: readonly TargetOutcome[];
}

/** Nobody is asked, so that each place is delivered to as soon as it is planned. */
async function deliverUnasked(invocation: Invocation, before: PlanInput): Promise<Delivered> {
  const { terminal, context } = invocation;
  const { deliverPlaces } = await import("#delivery");
  // The state's marks need the vault's key: it is made now, where every secret came from elsewhere.
  const input = before.markKey === undefined ? await chosenDeliveryOf(invocation, true) : before;
  const done = await deliverPlaces(context, input);
  if (!invocation.json) terminal.err(renderPlan(done.plan, terminal.color));
  return done;
}

/** undefined: the answer was no. */
async function deliverAsked(invocation: Invocation, before: PlanInput): Promise<Delivered | undefined> {
  const { terminal, context } = invocation;
  const { applyPlan, isPlanQuiet, planDelivery } = await import("#delivery");
  const seen = await planDelivery(context, before);
  if (!invocation.json) terminal.err(renderPlan(seen, terminal.color));
  if (
    !isPlanQuiet(seen) &&
    hasChanges(seen) &&
    !(await confirmed(invocation, "write these changes?", "nothing was written"))
  )
    return undefined;
  if (before.markKey !== undefined) return { plan: seen, outcomes: await applyPlan(context, before, seen) };
  const ready = await chosenDeliveryOf(invocation, true);
  const plan = await planDelivery(context, ready);
  return { plan, outcomes: await applyPlan(context, ready, plan) };
}

function hasChanges(plan: Plan): boolean {
  return plan.targets.some((target) => target.files.some((file) => file.action !== "none"));
}

async function confirmed(invocation: Invocation, question: string, declined: string): Promise<boolean> {
  const { terminal } = invocation;
  if (!terminal.isInTerminal)
    throw new AppError("USAGE", "there is no terminal to ask whether to do this", {
      hint: "add --yes where nobody can be asked",
    });
  if (await terminal.confirm(question, true)) return true;
  terminal.err(`${declined}\n`);
  return false;
}

/** One failed alone: its own exit code; several targets, some of them failed or refused: 3. */
function exitOf(
  outcomes: readonly { readonly error: AppError | undefined; readonly refused: boolean }[],
): number {
  const failed = outcomes.filter(({ error }) => error !== undefined);
  if (failed.length === 0) return outcomes.some(({ refused }) => refused) ? 3 : 0;
  return 3;
}
