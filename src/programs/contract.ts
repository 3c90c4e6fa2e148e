import type { Context } from "#core";
import type { Surroundings } from "#logins";

/** How a program of this room was called; `src/main.ts` gives the process's own. */
export interface ProgramFacts {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Registers what to do at SIGINT and SIGTERM. */
  onStop(act: () => void): void;
}

/** One request to a program that another program calls. */
export interface ProgramCall {
  readonly context: Context;
  /** `cwd` is never looked into: whoever calls the program has its own folder, which may be anybody's. */
  readonly surroundings: Pick<Surroundings, "env" | "cwd">;
  /** All of standard input; asked for only by requests that have one. Throws TOO_LARGE above `maxBytes`. */
  readInput(maxBytes: number): Promise<Uint8Array>;
  /** One line for whoever looks at the caller's own output; never a secret. */
  note(text: string): void;
}
