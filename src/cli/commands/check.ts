import { resolve } from "node:path";
import { AppError } from "#core";
import type { CheckReport } from "#delivery";
import type { Command, Invocation } from "../command.ts";
import { AT_OPTION, chosenDeliveryOf, fetchOf } from "../delivery-surroundings.ts";
import { renderPlan } from "../render-plan.ts";

export const check: Command = {
  path: ["check"],
  doing: "checking deliveries",
  summary: "say what is off: drift at the targets, logins that are refused or expire",
  description:
    "Reads every target and asks every registry with the delivered logins, Docker Hub for its pull limits too; writes nothing at the targets. Exit code 3 when something is off: a target that has not what it should, a login that is refused, has expired or has no pulls left, a rotation that is not done. A login that ends within two weeks is warned of; with --warn-days it is off within so many days.",
  examples: [
    { command: "wharf check", says: "for a person, or a cron job that looks at the exit code" },
    { command: "wharf check --quiet --warn-days 30", says: "one line, for cron and monitoring" },
    {
      command: "wharf check --quiet --prometheus /var/lib/node_exporter/wharf.prom",
      says: "for the textfile collector",
    },
    {
      command: "wharf check --from-target --at ssh://gpu01",
      says: "from that node, with its names, routes and CAs",
    },
    {
      command: "wharf check --from-target --at k8s://prod --image nvcr.io/acme/tiny:1",
      says: "by a pod in each namespace that pulls that image",
    },
    { command: "wharf check --offline", says: "the targets alone" },
  ],
  options: [
    { flag: "--offline", summary: "do not ask the registries" },
    {
      flag: "--from-target",
      summary:
        "ask the registries from each target too: by curl there, in a cluster by a pod that pulls --image",
    },
    {
      flag: "--image <image>",
      summary: "with --from-target: a small image that a pod in each namespace pulls, and does not run",
      repeatable: true,
    },
    { flag: "--quiet", summary: "one line" },
    { flag: "--warn-days <days>", summary: "a login that ends within so many days is off" },
    { flag: "--prometheus <file>", summary: "write the findings in Prometheus' text format, atomically" },
    AT_OPTION,
  ],
  async run(invocation) {
    const { terminal, options } = invocation;
    const warnDays = daysOf(options["warnDays"]);
    const { report, configPath } = await checked(invocation, warnDays);
    const { isPlanQuiet } = await import("#delivery");
    const { checkDocument, renderCheckLine, renderLoginStatuses } = await import("../render-check.ts");
    if (invocation.json) terminal.out(`${JSON.stringify(checkDocument(configPath, report))}\n`);
    else if (options["quiet"] === true) terminal.out(`${renderCheckLine(report)}\n`);
    else {
      terminal.out(renderPlan(report.plan, terminal.color));
      terminal.out(renderLoginStatuses(report, terminal.color));
      if (report.isGood)
        terminal.err("all is well: every target has what it should, and every login is good\n");
      else if (isPlanQuiet(report.plan)) terminal.err("something is off, which no apply mends\n");
      else terminal.err(`something is off; ${invocation.typedAs} apply mends what lies at the targets\n`);
    }
    return report.isGood ? 0 : 3;
  },
};

/** The check; its file for Prometheus says as well that it failed. */
async function checked(
  invocation: Invocation,
  warnDays: number | undefined,
): Promise<{ readonly report: CheckReport; readonly configPath: string }> {
  const { context, options } = invocation;
  try {
    const input = await chosenDeliveryOf(invocation);
    const { checkDelivery } = await import("#delivery");
    const fetch = options["offline"] === true ? undefined : await fetchOf(invocation);
    const report = await checkDelivery(context, input, {
      fetch,
      warnDays,
      fromTargets: options["fromTarget"] === true,
      images: imagesOf(options),
    });
    await writeMetrics(invocation, report);
    return { report, configPath: input.config.path };
  } catch (cause) {
    await writeMetrics(invocation, undefined);
    throw cause;
  }
}

function imagesOf(options: Invocation["options"]): readonly string[] {
  const images = options["image"];
  const named = Array.isArray(images) ? images : [];
  if (named.length > 0 && options["fromTarget"] !== true)
    throw new AppError("USAGE", "--image is for a check --from-target", { hint: "add --from-target" });
  return named;
}

async function writeMetrics(invocation: Invocation, report: CheckReport | undefined): Promise<void> {
  const file = invocation.options["prometheus"];
  if (typeof file !== "string") return;
  const { renderPrometheus } = await import("../render-prometheus.ts");
  const { writeFileDurable } = await import("#system");
  // Read by another user's exporter; it names no secret.
  const text = renderPrometheus(report, new Date());
  await writeFileDurable(resolve(invocation.cwd, file), text, { mode: 0o644 });
}

function daysOf(value: unknown): number | undefined {
  if (typeof value !== "string") return undefined;
  if (/^[1-9]\d{0,3}$/.test(value)) return Number(value);
  throw new AppError("USAGE", "--warn-days wants a number of days", { hint: "as --warn-days 30" });
}
