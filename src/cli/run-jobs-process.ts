import type { LogLevel } from "#core";
import { createLogger, createTerminal, lowerPriority, nameProcess, onParentGone, systemClock } from "#system";
import type { ProcessFacts } from "./run-process.ts";

/** The process in which a server has its jobs done: `wharf-jobs DATA-FOLDER LOG-LEVEL LOG-FORMAT`. Ends when nothing is due, or its server has ended. */
export async function runJobsProcess(facts: ProcessFacts): Promise<number> {
  const [dataDir, level, format] = facts.args;
  if (dataDir === undefined) return 2;
  lowerPriority();
  nameProcess("wharf-jobs");
  const stop = new AbortController();
  const terminal = createTerminal(facts.env, stop.signal);
  const log = createLogger({
    level: level as LogLevel,
    format: format === "human" || (format === "auto" && terminal.isOutTerminal) ? "human" : "json",
    clock: systemClock,
    write: (line) => terminal.err(line),
  });
  facts.onStop(() => stop.abort());
  onParentGone(() => stop.abort());
  const { runJobs } = await import("#jobs");
  await runJobs(dataDir, { signal: stop.signal, log });
  return 0;
}
