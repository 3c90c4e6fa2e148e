import type { LoginStatus } from "#delivery";
import type { Command } from "../command.ts";
import { AT_OPTION, chosenDeliveryOf, fetchOf } from "../delivery-surroundings.ts";
import { createPaint } from "../paint.ts";
import { plainText } from "../plain-text.ts";
import { errorDocument, planDocument, renderPlan } from "../render-plan.ts";

export const check: Command = {
  path: ["check"],
  doing: "checking deliveries",
  summary: "say what is off: drift at the targets, logins that are refused or expire",
  description:
    "Reads every target and asks every registry with the delivered logins; writes nothing. Exit code 3 when something is off.",
  examples: [
    { command: "wharf check", says: "for a person, or a cron job that looks at the exit code" },
    { command: "wharf check --offline", says: "the targets alone" },
  ],
  options: [{ flag: "--offline", summary: "do not ask the registries" }, AT_OPTION],
  async run(invocation) {
    const { terminal, context, options } = invocation;
    const input = await chosenDeliveryOf(invocation);
    const { checkDelivery } = await import("#delivery");
    const fetch = options["offline"] === true ? undefined : await fetchOf(invocation);
    const report = await checkDelivery(context, input, fetch);
    if (invocation.json) {
      terminal.out(
        `${JSON.stringify({
          config: input.config.path,
          good: report.isGood,
          targets: planDocument(report.plan),
          logins: report.logins.map((status) => ({
            login: status.login.name,
            expiry: status.expiry,
            expires: status.expires?.toISOString() ?? null,
            proof: status.proof?.outcome ?? null,
            error: errorDocument(status.error),
          })),
        })}\n`,
      );
    } else {
      terminal.out(renderPlan(report.plan, terminal.color));
      terminal.out(loginLines(report.logins, terminal.color));
      if (report.isGood)
        terminal.err("all is well: every target has what it should, and every login is good\n");
      else terminal.err(`something is off; ${invocation.typedAs} apply mends what lies at the targets\n`);
    }
    return report.isGood ? 0 : 3;
  },
};

function loginLines(statuses: readonly LoginStatus[], color: boolean): string {
  const paint = createPaint(color);
  return statuses
    .map((status) => {
      const name = `login ${plainText(status.login.name)}`;
      if (status.error !== undefined) {
        const hint = status.error.hint === undefined ? "" : `\n  ${paint.dim(plainText(status.error.hint))}`;
        return `${paint.red("failed")} ${name}: ${plainText(status.error.message)}${hint}\n`;
      }
      const day = status.expires?.toISOString().slice(0, 10) ?? "";
      if (status.expiry === "expired") return `${paint.red("expired")} ${name}: on ${day}\n`;
      if (status.expiry === "expires soon") return `${paint.yellow("warning")} ${name}: expires on ${day}\n`;
      return `${paint.green("good")} ${name}: ${plainText(status.proof?.detail ?? "")}\n`;
    })
    .join("");
}
