import type { Command } from "../command.ts";
import { AT_OPTION, chosenDeliveryOf } from "../delivery-surroundings.ts";
import { planDocument, renderPlan } from "../render-plan.ts";

export const plan: Command = {
  path: ["plan"],
  doing: "planning",
  summary: "show what apply would change at every target, and why; writes nothing",
  description:
    "Each change says its cause: new, changed here (wharf.yaml or the vault), changed there (drift), gone here (pruned). Exit code 3 when a login is refused or a target fails.",
  examples: [
    { command: "wharf plan", says: "the changes alone" },
    { command: "wharf plan --all", says: "with the entries that stay as they are" },
    { command: "wharf plan --at 'ssh://gpu[01-10]'", says: "for these hosts alone" },
  ],
  options: [{ flag: "--all", summary: "show entries that stay as they are too" }, AT_OPTION],
  async run(invocation) {
    const { terminal, context, options } = invocation;
    const input = await chosenDeliveryOf(invocation);
    const { isPlanQuiet, planDelivery } = await import("#delivery");
    const made = await planDelivery(context, input);
    if (invocation.json)
      terminal.out(`${JSON.stringify({ config: input.config.path, targets: planDocument(made) })}\n`);
    else {
      terminal.out(renderPlan(made, terminal.color, { all: options["all"] === true }));
      if (made.targets.length === 0)
        terminal.err(`no deliveries yet; ${invocation.typedAs} init proposes some\n`);
      else if (isPlanQuiet(made)) terminal.err("nothing to do: every target has what it should\n");
    }
    return made.targets.some((target) => target.error !== undefined || target.refusals.length > 0) ? 3 : 0;
  },
};
