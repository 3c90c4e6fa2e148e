import {
  type Command,
  createCommandTable,
  globalOptions,
  groups,
  renderOptionSummary,
  renderUsage,
  sections,
} from "#cli";
import { code, GENERATED, renderMarkdownTable } from "./markdown.ts";

/** docs/reference/commands.md, from what the commands say of themselves. */
export async function renderCommands(): Promise<string> {
  const table = createCommandTable(sections, groups);
  const commands = new Map((await table.load([])).map((command) => [command.path.join(" "), command]));
  const blocks = [
    GENERATED,
    "# Commands",
    "`wharf <command> --help` says the same at the terminal. Every command takes:",
    renderMarkdownTable(
      ["option", "what it does"],
      globalOptions.map((option) => [code(option.flag), option.summary]),
    ),
    "Results go to standard output; progress, questions and errors to standard error. Exit codes: 0 done, 1 failed, 2 usage, 3 partly failed or drift found, 4 not allowed, 5 unreachable, 130 interrupted ([errors](errors.md)).",
  ];
  for (const section of sections) {
    blocks.push(`## ${section.title}`);
    for (const path of Object.keys(section.commands)) {
      const command = commands.get(path);
      if (command !== undefined) blocks.push(renderCommand(command));
    }
  }
  return `${blocks.join("\n\n")}\n`;
}

function renderCommand(command: Command): string {
  const blocks = [
    `### wharf ${command.path.join(" ")}`,
    `${command.summary[0]?.toUpperCase()}${command.summary.slice(1)}.`,
  ];
  if (command.description !== undefined) blocks.push(command.description);
  blocks.push(`\`\`\`\n${renderUsage(command)}\n\`\`\``);
  const rows = [
    ...(command.args ?? []).map((arg) => [code(arg.name), renderOptionSummary(arg)]),
    ...(command.options ?? [])
      .filter((option) => option.hidden !== true)
      .map((option) => [code(option.flag), renderOptionSummary(option)]),
  ];
  if (rows.length > 0) blocks.push(renderMarkdownTable(["argument or option", "what it is"], rows));
  const examples = command.examples.map((example) => `# ${example.says}\n${example.command}`);
  blocks.push(`\`\`\`sh\n${examples.join("\n\n")}\n\`\`\``);
  return blocks.join("\n\n");
}
