import { createLogger, createTerminal, systemClock, type Terminal } from "#system";
import type { ProgramCall, ProgramFacts } from "./contract.ts";

/** A program's process: its terminal, and the call that its answer is made from. A signal stops what is going on. */
export function openProgram(
  name: string,
  facts: ProgramFacts,
): { readonly terminal: Terminal; readonly call: ProgramCall } {
  const { env, cwd } = facts;
  const stop = new AbortController();
  facts.onStop(() => stop.abort(new DOMException("stopped by a signal", "AbortError")));
  const terminal = createTerminal(env, stop.signal);
  const write = (text: string): void => terminal.err(text);
  return {
    terminal,
    call: {
      context: {
        signal: stop.signal,
        log: createLogger({ level: "warn", format: "human", clock: systemClock, write }),
      },
      surroundings: { env, cwd },
      readInput: (maxBytes) => terminal.readIn(maxBytes),
      note: (text) => terminal.err(`${name}: ${text}\n`),
    },
  };
}
