import type { Command } from "../command.ts";
import { AT_OPTION, chosenDeliveryOf, surroundingsOf } from "../delivery-surroundings.ts";
import { outcomesDocument, renderOutcomes } from "../render-plan.ts";

export const revoke: Command = {
  path: ["revoke"],
  doing: "revoking the login",
  summary: "remove every delivered copy of a login, and the login itself",
  description:
    "Removes it from every target it was delivered to, changed there since or not, under all spellings of Docker Hub; then from wharf.yaml and the vault (--keep leaves those). Says what it could not reach: run it again when that is back. The registry still takes the secret until it is deleted there.",
  examples: [
    { command: "wharf revoke ngc", says: "when its secret leaked" },
    { command: "wharf revoke ngc --keep", says: "the copies alone" },
  ],
  args: [{ name: "login", summary: "the login's name" }],
  options: [
    { flag: "--keep", summary: "leave the login in wharf.yaml and its secret in the vault" },
    {
      ...AT_OPTION,
      summary: "the copies at this place alone, or these hosts: ssh://gpu[01-10]; implies --keep",
    },
  ],
  async run(invocation) {
    const { args, options, terminal, context } = invocation;
    const name = String(args["login"]);
    const input = await chosenDeliveryOf(invocation);
    const { revokeCopies } = await import("#delivery");
    const { deleteLogin } = await import("#logins");
    const outcomes = await revokeCopies(context, input, name);
    const isKept = options["keep"] === true || options["at"] !== undefined;
    if (!isKept) await deleteLogin(context, surroundingsOf(invocation), input.config.path, name);
    const failed = outcomes.filter((outcome) => outcome.error !== undefined);
    if (invocation.json)
      terminal.out(`${JSON.stringify({ login: name, kept: isKept, targets: outcomesDocument(outcomes) })}\n`);
    else {
      terminal.out(renderOutcomes(outcomes, terminal.color));
      const removed = outcomes.flatMap((outcome) => outcome.written).length;
      terminal.err(
        failed.length > 0
          ? `${failed.length} of ${outcomes.length} targets could not be reached: run this again when they are back\n`
          : `login ${name}: ${removed === 0 ? "no copy was in place" : `${removed} file${removed === 1 ? "" : "s"} changed`}${isKept ? "; it is still in wharf.yaml, so apply would deliver it again" : ""}\n`,
      );
      const login = input.config.logins.get(name);
      if (login !== undefined)
        terminal.err(`the secret itself is good until it is deleted at ${login.registry}\n`);
    }
    return failed.length > 0 ? 3 : 0;
  },
};
