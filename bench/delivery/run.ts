import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createScratch } from "../../test/support/scratch.ts";
import { renderDeliveryReport } from "./delivery-report.ts";
import type { DeliveryBench, DeliveryMeasure, DeliveryRow, DeliverySettings } from "./delivery-row.ts";
import { measureAnswers } from "./measure-answers.ts";
import { measureClusters } from "./measure-clusters.ts";
import { measureHosts } from "./measure-hosts.ts";
import { measurePlanning } from "./measure-planning.ts";

/** Every measure of the table Delivery, in the order of the report. */
const measures: readonly (readonly [string, DeliveryMeasure])[] = [
  ["hosts", measureHosts],
  ["clusters", measureClusters],
  ["answers", measureAnswers],
  ["planning", measurePlanning],
];

/** Measures the table Delivery; the report. `only` names some of the measures. `wharf` is the executable. */
export async function benchDelivery(
  root: string,
  wharf: string,
  settings: DeliverySettings,
  only: readonly string[],
): Promise<string> {
  const scratch = createScratch("bench");
  const say = (line: string): void => console.error(line);
  const versions = new Map<string, string>();
  const rows: DeliveryRow[] = [];
  const benchFor = (name: string): DeliveryBench => {
    mkdirSync(scratch.at(name), { mode: 0o700 });
    const inside = {
      path: scratch.at(name),
      at: (...parts: readonly string[]) => join(scratch.path, name, ...parts),
      remove: () => undefined,
    };
    return { scratch: inside, wharf, settings, versions, say };
  };
  try {
    const unknown = only.find((name) => !measures.some(([known]) => known === name));
    if (unknown !== undefined)
      throw new Error(`no measure ${unknown}; there are ${measures.map(([name]) => name).join(", ")}`);
    for (const [name, measure] of measures) {
      if (only.length > 0 && !only.includes(name)) continue;
      const more = await measure(benchFor(name));
      rows.push(...more);
      for (const row of more)
        say(`${row.work}: ${row.verdict?.words ?? "–"} ${row.verdict?.met === false ? "(missed)" : ""}`);
    }
    return await renderDeliveryReport(root, benchFor("report"), rows);
  } finally {
    scratch.remove();
  }
}
