import { createScratch } from "../../test/support/scratch.ts";
import { insideScratch } from "../inside-scratch.ts";
import { runMeasures } from "../run-measures.ts";
import { renderDeliveryReport } from "./delivery-report.ts";
import type { DeliveryBench, DeliveryMeasure, DeliverySettings } from "./delivery-row.ts";
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
  const versions = new Map<string, string>();
  const benchFor = (name: string): DeliveryBench => ({
    scratch: insideScratch(scratch, name),
    wharf,
    settings,
    versions,
    say: (line) => console.error(line),
  });
  try {
    const rows = await runMeasures(measures, only, benchFor);
    return await renderDeliveryReport(root, benchFor("report"), rows);
  } finally {
    scratch.remove();
  }
}
