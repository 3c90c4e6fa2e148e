import { Argument, Command as Commander, CommanderError, Option } from "commander";
import { AppError, nearestName } from "#core";
import type { Command, Invocation } from "./command.ts";
import { globalOptions } from "./command-table.ts";

/** What a command's own arguments say. `help`: --help was among them. */
export type ParsedArguments =
  | { readonly kind: "help" }
  | ({ readonly kind: "run" } & Pick<Invocation, "args" | "options" | "json" | "configFile">);

/** Reads the arguments after a command's words by what the command says of itself. Throws USAGE. */
export function parseArguments(command: Command, rest: readonly string[]): ParsedArguments {
  const parser = new Commander(command.path.join(" "))
    .helpOption(false)
    .exitOverride()
    .configureOutput({ writeErr() {}, writeOut() {} })
    .allowExcessArguments(false)
    .showSuggestionAfterError(false);
  for (const argument of command.args ?? []) {
    const dots = argument.variadic === true ? "..." : "";
    const name = argument.required === false ? `[${argument.name}${dots}]` : `<${argument.name}${dots}>`;
    const added = new Argument(name, argument.summary);
    const { choices, variadic } = argument;
    if (choices !== undefined)
      added.argParser((value: string, before: unknown) =>
        collect(checkChoice(argument.name, choices, value), before, variadic),
      );
    parser.addArgument(added);
  }
  for (const spec of command.options ?? []) {
    const option = new Option(spec.flag, spec.summary);
    if (spec.default !== undefined) option.default(spec.default);
    const { choices, repeatable } = spec;
    if (choices !== undefined || repeatable === true)
      option.argParser((value: string, before: unknown) =>
        collect(
          choices === undefined ? value : checkChoice(`--${option.name()}`, choices, value),
          before,
          repeatable,
        ),
      );
    parser.addOption(option);
  }
  for (const spec of globalOptions) parser.addOption(new Option(spec.flag, spec.summary));

  try {
    parser.parse([...rest], { from: "user" });
  } catch (error) {
    // Help asked for beside a mistake is still help.
    if (asksHelp(rest)) return { kind: "help" };
    if (error instanceof CommanderError) throw usageError(error, command, rest);
    throw error;
  }
  const { config, json, help, color: _color, ...options } = parser.opts();
  if (help === true) return { kind: "help" };
  const names = (command.args ?? []).map((argument) => argument.name);
  return {
    kind: "run",
    args: Object.fromEntries(names.map((name, index) => [camelCase(name), parser.processedArgs[index]])),
    options,
    json: json === true,
    configFile: config,
  };
}

/** The value, or the list with it at its end where there may be several. */
function collect(value: string, before: unknown, several: boolean | undefined): string | readonly string[] {
  if (several !== true) return value;
  return [...(Array.isArray(before) ? before : []), value];
}

function checkChoice(name: string, choices: readonly string[], value: string): string {
  if (choices.includes(value)) return value;
  const near = nearestName(value, choices);
  const all = `it is one of: ${choices.join(", ")}`;
  throw new AppError("USAGE", `${name} cannot be ${JSON.stringify(value.slice(0, 80))}`, {
    hint: near === undefined ? all : `did you mean ${near}? ${all}`,
  });
}

/** True when the words before `--` ask for help. */
export function asksHelp(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  return args.slice(0, end === -1 ? undefined : end).some((arg) => arg === "-h" || arg === "--help");
}

/** `password-file` → `passwordFile`, as commander names options. */
function camelCase(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function usageError(error: CommanderError, command: Command, rest: readonly string[]): AppError {
  const words = ["wharf", ...command.path].join(" ");
  const help = `see '${words} --help'`;
  const message = error.message.replace(/^error: /, "").trim();
  if (error.code !== "commander.unknownOption") return new AppError("USAGE", message, { hint: help });
  const known = [
    ...(command.options ?? []).filter((option) => option.hidden !== true),
    ...globalOptions,
  ].flatMap((option) => option.flag.match(/--[a-z-]+/g) ?? []);
  const typed = rest.find((arg) => arg.startsWith("--") && !known.includes(arg.split("=")[0] ?? ""));
  const near = typed === undefined ? undefined : nearestName(typed.split("=")[0] ?? "", known);
  return new AppError("USAGE", message, {
    hint: near === undefined ? help : `did you mean ${near}? ${help}`,
  });
}
