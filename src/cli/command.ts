import type { Context } from "#core";
import type { Terminal } from "#system";

/** One argument of a command. */
export interface ArgumentSpec {
  readonly name: string;
  readonly summary: string;
  /** False: may be left out. An argument is required where nothing is said. */
  readonly required?: boolean;
  /** Takes all that follow. */
  readonly variadic?: boolean;
  /** The values it takes, for help, check and completion. */
  readonly choices?: readonly string[];
}

/** One option of a command. `flag` as commander writes it: `-u, --username <name>`, `--show`. */
export interface OptionSpec {
  readonly flag: string;
  readonly summary: string;
  /** Shown in the help, and given when the option is not. */
  readonly default?: string;
  /** May be said several times: the value is a list. */
  readonly repeatable?: boolean;
  /** The values it takes, for help, check and completion. */
  readonly choices?: readonly string[];
  /** Known, so that a command can say what to use instead, but not in help, reference or completion. */
  readonly hidden?: boolean;
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
  /** How wharf must be typed here, for hints: `wharf` when it is on PATH, `bin/wharf` in a checkout. */
  readonly typedAs: string;
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
  /** What goes between `error:` and the reason: "starting the registry". The command's words where it is not given. */
  readonly doing?: string;
  /** Paragraphs for --help and the reference. */
  readonly description?: string;
  readonly examples: readonly { readonly command: string; readonly says: string }[];
  readonly args?: readonly ArgumentSpec[];
  readonly options?: readonly OptionSpec[];
  /** The exit code; 0 when nothing is returned. Errors are thrown as AppError; main prints them. */
  run(invocation: Invocation): Promise<number | undefined>;
}
