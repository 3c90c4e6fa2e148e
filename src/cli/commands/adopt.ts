import type { AdoptReport } from "#delivery";
import type { Command } from "../command.ts";
import { AT_OPTION, chosenDeliveryOf } from "../delivery-surroundings.ts";
import { createPaint } from "../paint.ts";
import { plainText } from "../plain-text.ts";
import { errorDocument } from "../render-plan.ts";

export const adopt: Command = {
  path: ["adopt"],
  doing: "adopting what is delivered",
  summary: "rebuild a lost wharf.state from what lies at the targets",
  description:
    "Reads every target and compares it with what wharf.yaml and vault would deliver: what is exactly that counts as delivered by wharf, so that it is pruned and revoked later. Everything else stays foreign; nothing is written at the targets. What had left wharf.yaml before the state was lost cannot be found. Exit code 3 when something is missing, is other, or could not be read.",
  examples: [{ command: "wharf adopt", says: "after wharf.state was lost" }],
  options: [AT_OPTION],
  async run(invocation) {
    const { terminal, context } = invocation;
    const input = await chosenDeliveryOf(invocation, true);
    const { adoptDelivery } = await import("#delivery");
    const report = await adoptDelivery(context, input);
    const unread = report.plan.targets.filter(({ error }) => error !== undefined);
    if (invocation.json) terminal.out(`${JSON.stringify(document(report))}\n`);
    else {
      terminal.out(lines(report, terminal.color));
      terminal.err(
        `${report.adopted.length} entries adopted, ${report.known} were known${report.left.length === 0 ? "" : `; ${report.left.length} are left: see ${invocation.typedAs} plan`}\n`,
      );
    }
    return report.left.length > 0 || unread.length > 0 ? 3 : 0;
  },
};

function lines({ adopted, left, plan }: AdoptReport, color: boolean): string {
  const paint = createPaint(color);
  const whole = (key: string): string => (key === "(file)" ? "the whole file" : key);
  const rows = [
    ...adopted.map(
      ({ consumer, place, file, key, login }) =>
        `${paint.green("adopted")} ${plainText(`${consumer} at ${place}: ${whole(key)} in ${file}${login === "" ? "" : `, login ${login}`}`)}`,
    ),
    ...left.map(
      ({ consumer, place, file, key, why }) =>
        `${paint.yellow(why === "missing" ? "missing" : "foreign")} ${plainText(`${consumer} at ${place}: ${whole(key)} ${why === "missing" ? "is not in" : "is something else in"} ${file}`)}`,
    ),
    ...plan.targets.flatMap(({ consumer, place, error }) =>
      error === undefined
        ? []
        : [`${paint.red("failed")} ${plainText(`${consumer} at ${place}: ${error.message}`)}`],
    ),
  ];
  return rows.map((row) => `${row}\n`).join("");
}

function document({ adopted, known, left, plan }: AdoptReport): unknown {
  return {
    adopted: adopted.map(({ consumer, place, user, file, key, login }) => ({
      consumer,
      place,
      user: user ?? null,
      file,
      key,
      login: login === "" ? null : login,
    })),
    known,
    left: left.map((one) => ({ ...one, user: one.user ?? null, login: one.login ?? null })),
    failed: plan.targets.flatMap(({ consumer, place, error }) =>
      error === undefined ? [] : [{ consumer, place, error: errorDocument(error) }],
    ),
  };
}
