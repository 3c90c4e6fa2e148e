import { statSync } from "node:fs";
import { timeRun } from "../delivery/time-runs.ts";
import { median } from "../registry/row.ts";
import { type Converter, clearOutput } from "./converters.ts";

export interface Converted {
  /** Medians. */
  readonly ms: number;
  readonly cpuMs: number;
  /** Of the result. */
  readonly sizeBytes: number;
  /** What went to files altogether, the result among it: the most of all runs. */
  readonly writtenBytes: number;
}

/** Runs converters in turn, so that a slow minute of the machine hits all of them, another one first each time. The last results stay. */
export async function convertInTurn(
  converters: readonly Converter[],
  rounds: number,
): Promise<readonly Converted[]> {
  const runs = converters.map(() => ({ ms: [] as number[], cpuMs: [] as number[], writtenBytes: 0 }));
  for (let round = 0; round < rounds; round++)
    for (let turn = 0; turn < converters.length; turn++) {
      const at = (turn + round) % converters.length;
      const [converter, run] = [converters[at], runs[at]];
      if (converter === undefined || run === undefined) continue;
      clearOutput(converter);
      const { ms, cpuMs, writtenBytes } = await timeRun(converter);
      run.ms.push(ms);
      run.cpuMs.push(cpuMs);
      run.writtenBytes = Math.max(run.writtenBytes, writtenBytes);
    }
  return runs.map((run, at) => ({
    ms: median(run.ms),
    cpuMs: median(run.cpuMs),
    sizeBytes: statSync(converters[at]?.out ?? "").size,
    writtenBytes: run.writtenBytes,
  }));
}
