import type { TimedProgram } from "./time-runs.ts";

/** How somebody delivers one file to each host of a fleet. */
export interface Deliverer {
  /** As it is before anything was delivered. */
  reset(): void;
  run(): TimedProgram;
  /** Folders of sockets to end beside wharf's. */
  readonly sockets: readonly string[];
}
