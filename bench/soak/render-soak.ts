import type { Surroundings } from "../registry/report.ts";
import type { WorkCount } from "./load.ts";
import { type MemorySample, mean, slopePerHour } from "./sample.ts";

const settledAfterMinutes = 10;
const rowMinutes = 5;

/** The report as Markdown: what the server's memory did, and under what. */
export function renderSoak(soak: {
  readonly samples: readonly MemorySample[];
  readonly counts: readonly WorkCount[];
  readonly surroundings: Surroundings;
}): string {
  const { samples, counts, surroundings } = soak;
  const last = samples.at(-1);
  if (last === undefined) throw new Error("too short for a sample");
  const failed = counts.reduce((total, count) => total + count.failed, 0);
  const done = counts.reduce((total, count) => total + count.done, 0);
  const rows: string[] = [];
  for (let from = 0; from < last.minute - 0.1; from += rowMinutes) {
    const part = samples.filter(({ minute }) => minute > from + 0.1 && minute <= from + rowMinutes + 0.1);
    const end = part.at(-1);
    if (end === undefined) continue;
    const cells = [
      `${from}–${Math.round(end.minute)}`,
      mean(part.map((sample) => sample.residentMb)).toFixed(1),
      mean(part.map((sample) => sample.anonymousMb)).toFixed(1),
      Math.min(...part.map((sample) => sample.anonymousMb)).toFixed(1),
      end.peakMb.toFixed(1),
      `${Math.min(...part.map((sample) => sample.openFiles))}–${Math.max(...part.map((sample) => sample.openFiles))}`,
    ];
    rows.push(`| ${cells.join(" | ")} |`);
  }
  const works = counts.map(
    ({ name, perSecond, done: times, failed: lost }) =>
      `| ${name} | ${perSecond} | ${times.toLocaleString("en")} | ${lost} |`,
  );
  return `# Benchmark: soak

Written by \`npm run bench soak\`. It ran for ${Math.round(last.minute)} minutes, ${new Date().toISOString().slice(0, 10)}.
One server as shipped (the single executable, plain HTTP on loopback) under a moderate mixed load of every kind of request, good and bad;
its data stay bounded. Every 30 s its memory was read from \`/proc\`.

| minutes | resident, mean MB | anonymous, mean MB | anonymous, lowest MB | highest ever, MB | open files |
|---|---|---|---|---|---|
${rows.join("\n")}

${verdict(samples)}

The server used ${((last.cpuSeconds / (last.minute * 60)) * 100).toFixed(0)} % of one core. ${done.toLocaleString("en")} pieces of work were done; ${failed === 0 ? "every answer was what it must be" : `**${failed} went wrong**`}.
Memory is in megabytes of 10^6 bytes; anonymous is what the process itself holds, without files that it maps.

| work | a second, at most | times | wrong |
|---|---|---|---|
${works.join("\n")}

- Machine: ${surroundings.machine}
- wharf: ${surroundings.versions.wharf}
- Bun: ${surroundings.versions.Bun}
`;
}

function verdict(samples: readonly MemorySample[]): string {
  const settled = samples.filter(({ minute }) => minute > settledAfterMinutes);
  if (settled.length < 10) return "Too short to say whether it is flat: the first 10 minutes do not count.";
  const { slope, error } = slopePerHour(settled);
  const words =
    slope - 2 * error <= 0
      ? "no growth that could be told from noise"
      : `it grew, by ${slope.toFixed(1)} MB an hour if it went on so`;
  return `After the first ${settledAfterMinutes} minutes anonymous memory rose by ${slope.toFixed(1)} ± ${error.toFixed(1)} MB an hour (least squares over ${settled.length} samples and its standard error): ${words}.`;
}
