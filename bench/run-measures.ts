import type { PeerRow } from "./peer-row.ts";

/** One or more rows of a report, measured together. */
export type Measure<Bench> = (bench: Bench) => Promise<readonly PeerRow[]>;

/** Runs the measures that `only` names (all of them where it names none), in their own order, and says each row as it comes. */
export async function runMeasures<Bench extends { readonly say: (line: string) => void }>(
  measures: readonly (readonly [string, Measure<Bench>])[],
  only: readonly string[],
  benchFor: (name: string) => Bench,
): Promise<readonly PeerRow[]> {
  const unknown = only.find((name) => !measures.some(([known]) => known === name));
  if (unknown !== undefined)
    throw new Error(`no measure ${unknown}; there are ${measures.map(([name]) => name).join(", ")}`);
  const rows: PeerRow[] = [];
  for (const [name, measure] of measures) {
    if (only.length > 0 && !only.includes(name)) continue;
    const bench = benchFor(name);
    for (const row of await measure(bench)) {
      rows.push(row);
      bench.say(`${row.work}: ${row.verdict?.words ?? "–"} ${row.verdict?.met === false ? "(missed)" : ""}`);
    }
  }
  return rows;
}
