import type { ArgumentSpec, Command, OptionSpec } from "./command.ts";
import { type CommandTable, globalOptions } from "./command-table.ts";
import { createPaint } from "./paint.ts";
import { wrapText } from "./wrap-text.ts";

/** `wharf project create <name> [options]`. */
export function renderUsage(command: Command): string {
  const args = (command.args ?? []).map(renderArgument);
  return ["wharf", ...command.path, ...args, "[options]"].join(" ");
}

/** The help of one command: usage, what it does, arguments, options, examples. */
export function renderCommandHelp(command: Command, color: boolean): string {
  const paint = createPaint(color);
  const blocks = [
    `${paint.bold("usage:")} ${renderUsage(command)}`,
    [capital(command.summary), ...(command.description === undefined ? [] : [command.description])]
      .map((text) => wrapText(text, 100))
      .join("\n\n"),
  ];
  const args = command.args ?? [];
  if (args.length > 0)
    blocks.push(
      `${paint.bold("arguments")}\n${pairs(args.map((arg) => [arg.name, renderOptionSummary(arg)]))}`,
    );
  const options = (command.options ?? []).filter((option) => option.hidden !== true);
  blocks.push(
    `${paint.bold("options")}\n${pairs([...options, ...globalOptions].map((option) => [option.flag, renderOptionSummary(option)]))}`,
  );
  const examples = command.examples.map(
    (example) => `  ${paint.dim(`# ${example.says}`)}\n  ${example.command}`,
  );
  blocks.push(`${paint.bold("examples")}\n${examples.join("\n")}`);
  return `${blocks.join("\n\n")}\n`;
}

/** The help of `wharf` itself: every command under its heading, groups by one line each. */
export async function renderMainHelp(table: CommandTable, color: boolean): Promise<string> {
  const paint = createPaint(color);
  const all = new Map((await table.load([])).map((command) => [command.path.join(" "), command]));
  const blocks = [
    `${paint.bold("usage:")} wharf <command> [options]`,
    "A private container registry that logs your whole cluster in.",
  ];
  for (const section of table.sections) {
    const rows = new Map<string, string>();
    for (const path of Object.keys(section.commands)) {
      const [first = "", ...others] = path.split(" ");
      const group = table.groups[first];
      if (others.length > 0 && group !== undefined) rows.set(`${first} …`, group);
      else rows.set(path, all.get(path)?.summary ?? "");
    }
    if (rows.size > 0) blocks.push(`${paint.bold(section.title.toLowerCase())}\n${pairs([...rows])}`);
  }
  blocks.push(
    `${paint.bold("options of every command")}\n${pairs([...globalOptions.map((option) => [option.flag, option.summary] as const), ["-V, --version", "the version of wharf"]])}`,
    `'wharf <command> --help' says more, with examples.`,
  );
  return `${blocks.join("\n\n")}\n`;
}

/** The help of a first word with several commands. */
export async function renderGroupHelp(
  table: CommandTable,
  words: readonly string[],
  color: boolean,
): Promise<string> {
  const paint = createPaint(color);
  const commands = await table.load(words);
  const name = ["wharf", ...words].join(" ");
  const summary = table.groups[words.join(" ")];
  const blocks = [`${paint.bold("usage:")} ${name} <command> [options]`];
  if (summary !== undefined) blocks.push(capital(summary));
  blocks.push(
    `${paint.bold("commands")}\n${pairs(commands.map((command) => [command.path.slice(words.length).join(" "), command.summary]))}`,
    `'${name} <command> --help' says more, with examples.`,
  );
  return `${blocks.join("\n\n")}\n`;
}

/** What an option or argument is for, with its choices and default. */
export function renderOptionSummary(
  option: Pick<OptionSpec, "summary" | "choices" | "default" | "repeatable">,
): string {
  const facts = [
    ...(option.choices === undefined ? [] : [`one of: ${option.choices.join(", ")}`]),
    ...(option.default === undefined ? [] : [`default: ${option.default}`]),
    ...(option.repeatable === true ? ["may be said several times"] : []),
  ];
  return facts.length === 0 ? option.summary : `${option.summary} (${facts.join("; ")})`;
}

function renderArgument(argument: ArgumentSpec): string {
  const name = `${argument.name}${argument.variadic === true ? "..." : ""}`;
  return argument.required === false ? `[${name}]` : `<${name}>`;
}

function pairs(rows: readonly (readonly [string, string])[]): string {
  const width = Math.min(34, Math.max(...rows.map(([left]) => left.length)));
  return rows
    .map(([left, right]) => {
      const text = wrapText(right, 100 - width - 4).replaceAll("\n", `\n${" ".repeat(width + 4)}`);
      return left.length > width
        ? `  ${left}\n${" ".repeat(width + 4)}${text}`
        : `  ${left.padEnd(width)}  ${text}`;
    })
    .join("\n");
}

function capital(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
}
