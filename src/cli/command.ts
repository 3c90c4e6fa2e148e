import type { Context } from "#core";

/** One argument of a command. */
export interface ArgumentSpec {
  readonly name: string;
  readonly summary: string;
  readonly required?: boolean;
  /** Takes all that follow. */
  readonly variadic?: boolean;
}

/** One option of a command. `flag` as commander writes it: `-u, --username <name>`, `--json`, `--no-color`. */
export interface OptionSpec {
  readonly flag: string;
  readonly summary: string;
  /** Shown in the help, and given when the option is not. */
  readonly default?: string;
  /** May be said several times: the value is a list. */
  readonly repeatable?: boolean;
  /** The values it takes, for help, check and completion. */
  readonly choices?: readonly string[];
}

/** Where a command reads and writes; tests give their own. */
export interface Terminal {
  /** Results: what a script would read. One call, one chunk, no newline added. */
  out(text: string): void;
  /** Progress, prompts, warnings. */
  err(text: string): void;
  /** Raw bytes to standard output. */
  outBytes(bytes: Uint8Array): void;
  readonly isOutTerminal: boolean;
  readonly isInTerminal: boolean;
  readonly color: boolean;
  /** All of standard input, at most `maxBytes`. */
  readIn(maxBytes: number): Promise<Uint8Array>;
  /** Asks for a line; `hidden` does not echo. Throws USAGE when there is no terminal to ask at. */
  ask(question: string, options?: { readonly hidden?: boolean }): Promise<string>;
  /** Asks yes or no; the answer is `fallback` on an empty line. Throws USAGE when there is no terminal to ask at. */
  confirm(question: string, fallback?: boolean): Promise<boolean>;
}

/** What a command is run with. */
export interface Invocation {
  readonly args: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** By the option's long name in camel case. */
  readonly options: Readonly<Record<string, string | boolean | readonly string[] | undefined>>;
  readonly terminal: Terminal;
  readonly context: Context;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** True with --json: print one stable document, and nothing else, to standard output. */
  readonly json: boolean;
  /** Value of -c FILE. */
  readonly configFile: string | undefined;
}

/** One command of `wharf`: read arguments, call a room, print. It decides nothing, and imports its rooms only inside `run`. */
export interface Command {
  /** Words after `wharf`: `["project", "create"]`. */
  readonly path: readonly string[];
  readonly summary: string;
  /** Paragraphs for --help and the reference. */
  readonly description?: string;
  readonly examples: readonly { readonly command: string; readonly says: string }[];
  readonly args?: readonly ArgumentSpec[];
  readonly options?: readonly OptionSpec[];
  /** The exit code; 0 when nothing is returned. Errors are thrown as AppError; main prints them. */
  run(invocation: Invocation): Promise<number | undefined>;
}
