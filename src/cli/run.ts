import { AppError, type Context, toAppError, version } from "#core";
import type { Terminal } from "#system";
import { asTyped } from "./as-typed.ts";
import type { Command } from "./command.ts";
import { type CommandTable, createCommandTable } from "./command-table.ts";
import { groups, sections } from "./commands.ts";
import { asksHelp, parseArguments } from "./parse-arguments.ts";
import { renderError, renderErrorJson } from "./render-error.ts";
import { renderCommandHelp, renderGroupHelp, renderMainHelp } from "./render-help.ts";

/** What a command line is run with; main gives the process's own, tests theirs. */
export interface CommandLine {
  /** Words after `wharf`. */
  readonly args: readonly string[];
  readonly terminal: Terminal;
  readonly context: Context;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** As in Invocation; `wharf` where nothing is said. */
  readonly typedAs?: string;
  /** Other commands than wharf's, for tests of the frame. */
  readonly table?: CommandTable;
}

/**
 * Runs one command line and gives its exit code; prints its error, if any, and never throws. Once the context's signal is aborted,
 * a command that fails was interrupted: 130, whatever it failed with.
 */
export async function runCommandLine(line: CommandLine): Promise<number> {
  const table = line.table ?? createCommandTable(sections, groups);
  const before = line.args.slice(0, line.args.includes("--") ? line.args.indexOf("--") : undefined);
  const json = before.includes("--json");
  const typedAs = line.typedAs ?? "wharf";
  const terminal: Terminal = {
    ...line.terminal,
    ...(before.includes("--no-color") ? { color: false } : {}),
    // What is for people alone; standard output may be a file's bytes.
    err: (text) => line.terminal.err(asTyped(text, typedAs, table.paths)),
  };
  const progress = { doing: "" };
  try {
    return await dispatch({ ...line, terminal }, table, progress);
  } catch (cause) {
    const error = line.context.signal.aborted
      ? new AppError("INTERRUPTED", "interrupted", { cause })
      : toAppError(cause);
    line.context.log.debug("command failed", { error });
    if (json) terminal.out(renderErrorJson(error));
    else terminal.err(renderError(error, progress.doing, terminal.color));
    return error.row.exit;
  }
}

async function dispatch(
  line: CommandLine,
  table: CommandTable,
  progress: { doing: string },
): Promise<number> {
  const { terminal } = line;
  const helpWord = line.args[0] === "help";
  const { found, rest } = table.resolve(helpWord ? line.args.slice(1) : line.args);
  const wantsHelp = helpWord || asksHelp(rest);

  if (found.kind === "group") {
    if (found.words.length === 0) {
      const { runVersion, unknown } = readMainOptions(rest);
      if (unknown !== undefined && !wantsHelp) throw unknownOption(unknown);
      if (runVersion && !wantsHelp) {
        terminal.out(rest.includes("--json") ? `${JSON.stringify({ version })}\n` : `${version}\n`);
        return 0;
      }
      return help(line, table, found.words, rest);
    }
    if (wantsHelp) return help(line, table, found.words, rest);
    const name = ["wharf", ...found.words].join(" ");
    throw new AppError("USAGE", `'${name}' needs one more word`, { hint: `see '${name} --help' for which` });
  }

  progress.doing = found.words.join(" ");
  const command = await found.load();
  if (wantsHelp) return help(line, table, found.words, rest);
  const parsed = parseArguments(command, rest);
  if (parsed.kind === "help") return help(line, table, found.words, rest);
  if (command.doing !== undefined) progress.doing = command.doing;
  const code = await command.run({
    args: parsed.args,
    options: parsed.options,
    json: parsed.json,
    configFile: parsed.configFile,
    terminal,
    context: line.context,
    env: line.env,
    cwd: line.cwd,
    typedAs: line.typedAs ?? "wharf",
  });
  return code ?? 0;
}

function readMainOptions(rest: readonly string[]): { runVersion: boolean; unknown: string | undefined } {
  const known = ["-V", "--version", "-h", "--help", "--json", "--no-color"];
  return {
    runVersion: rest.includes("-V") || rest.includes("--version"),
    unknown: rest.find((arg) => arg.startsWith("-") && !known.includes(arg)),
  };
}

function unknownOption(option: string): AppError {
  return new AppError("USAGE", `there is no option '${option}' before a command`, {
    hint: "see 'wharf --help'",
  });
}

async function help(
  line: CommandLine,
  table: CommandTable,
  words: readonly string[],
  rest: readonly string[],
): Promise<number> {
  const { terminal } = line;
  const commands = await table.load(words);
  const exact = commands.find((command) => command.path.length === words.length);
  if (rest.includes("--json")) terminal.out(`${JSON.stringify({ commands: commands.map(describe) })}\n`);
  else if (words.length === 0) terminal.out(await renderMainHelp(table, terminal.color));
  else if (exact !== undefined) terminal.out(renderCommandHelp(exact, terminal.color));
  else terminal.out(await renderGroupHelp(table, words, terminal.color));
  return 0;
}

function describe(command: Command): Record<string, unknown> {
  const { path, summary, description, args = [], options = [], examples } = command;
  return { path, summary, description, args, options: options.filter((option) => !option.hidden), examples };
}
