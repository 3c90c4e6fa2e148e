import { basename, dirname, relative, resolve } from "node:path";
import type { Context, LogLevel } from "#core";
import { createLogger, createTerminal, systemClock } from "#system";
import { runCommandLine } from "./run.ts";

/** How this process was called. */
export interface ProcessFacts {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** The program's path as it was called: `bin/wharf`, `/usr/local/bin/wharf`. */
  readonly calledAs: string;
  /** Registers what to do at SIGINT and SIGTERM. */
  onStop(act: () => void): void;
  /** Ends the process at once; for the second signal of somebody who does not want to wait. */
  exit(code: number): never;
}

const SAME_SIGNAL_MS = 500;
const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** Runs `wharf` as a process: its own terminal, and signals that stop what is going on, a log on
 * standard error from the level that WHARF_LOG names (`warn`). Gives the exit code. */
export async function runProcess(facts: ProcessFacts): Promise<number> {
  const stop = new AbortController();
  let firstAt: number | undefined;
  facts.onStop(() => {
    const now = systemClock.monotonicMs();
    // `timeout`, npm and terminals send the same signal twice, to the process and to its group: that is nobody's impatience.
    if (firstAt !== undefined && now - firstAt > SAME_SIGNAL_MS) facts.exit(130);
    firstAt ??= now;
    stop.abort(new DOMException("stopped by a signal", "AbortError"));
  });
  const { args, env, cwd } = facts;
  const terminal = createTerminal(env, stop.signal);
  const level = LEVELS.find((known) => known === env.WHARF_LOG) ?? "warn";
  const log = createLogger({
    level,
    format: "human",
    clock: systemClock,
    write: (text) => terminal.err(text),
  });
  const context: Context = { signal: stop.signal, log };
  const typedAs = renderTypedAs(facts.calledAs, env.PATH ?? "", cwd);
  return runCommandLine({ args, env, cwd, typedAs, terminal, context });
}

/** The shortest way to type the program that was called by this path: its bare name where PATH leads to it. */
export function renderTypedAs(calledAs: string, path: string, cwd: string): string {
  const name = basename(calledAs);
  if (name === calledAs || path.split(":").includes(dirname(calledAs))) return name;
  const inside = relative(cwd, resolve(cwd, calledAs));
  if (inside.startsWith("..")) return calledAs;
  return inside.includes("/") ? inside : `./${inside}`;
}
