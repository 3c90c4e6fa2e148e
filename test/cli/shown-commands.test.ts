/** Every command that a text, a hint or an example shows is one that wharf has, with arguments that it takes. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createCommandTable, groups, sections } from "#cli";
import { parseArguments } from "../../src/cli/parse-arguments.ts";
import { readTexts } from "../support/texts.ts";

const root = join(import.meta.dir, "../..");
const table = createCommandTable(sections, groups);
const commands = new Map((await table.load([])).map((command) => [command.path.join(" "), command]));

/** Why a shown command line would be refused; undefined when wharf would run it. */
function faultOf(line: string): string | undefined {
  try {
    const { found, rest } = table.resolve(splitWords(line).slice(1));
    if (found.kind === "group")
      return rest.length > 0 || found.words.length > 0 ? undefined : "names no command";
    const command = commands.get(found.words.join(" "));
    if (command !== undefined) parseArguments(command, rest);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The words of one simple shell command: quotes taken off, and what stands after a pipe, redirection or comment left out. */
function splitWords(line: string): string[] {
  const words: string[] = [];
  for (const [, double, single, plain] of line.matchAll(/"([^"]*)"|'([^']*)'|([^\s"']+)/g)) {
    if (plain !== undefined && /^(?:[|;&#<]|\d?>)/.test(plain)) break;
    words.push(double ?? single ?? plain ?? "");
  }
  return words;
}

function faultsOf(lines: readonly string[]): string[] {
  return lines.flatMap((line) => {
    const fault = faultOf(line);
    return fault === undefined ? [] : [`${line}: ${fault}`];
  });
}

test("the check itself sees a wrong command and a wrong option", () => {
  expect(faultOf("wharf serv")).toContain("there is no command");
  expect(faultOf("bin/wharf serve --liste 1 | cat")).toContain("unknown option");
  expect(faultOf("wharf serve --listen :5000 # here")).toBeUndefined();
});

test("examples in help", () => {
  const lines = [...commands.values()].flatMap((command) =>
    command.examples.flatMap(
      (example) => /(?:^|\s|\|)((?:bin\/)?wharf .*)$/.exec(example.command)?.[1] ?? [],
    ),
  );
  expect(lines.length).toBeGreaterThanOrEqual(commands.size);
  expect(faultsOf(lines)).toEqual([]);
});

test("code blocks of the texts", () => {
  const lines: string[] = [];
  for (const text of readTexts().values()) {
    for (const [, block = ""] of text.replaceAll("\\\n", " ").matchAll(/```(?:sh|console)\n([\s\S]*?)```/g))
      for (const line of block.split("\n")) {
        const shown = /^\s*(?:\$ )?(?:[^#]*[|(=]\s*)?((?:bin\/)?wharf\s.*)$/.exec(line)?.[1];
        if (shown !== undefined) lines.push(shown);
      }
  }
  expect(lines.length).toBeGreaterThan(0);
  expect(faultsOf(lines)).toEqual([]);
});

// Hints name commands in quotes; names of things stand in capitals or as ${…}, so only the leading words are looked at.
test("commands named in messages and hints", () => {
  const faults: string[] = [];
  for (const path of new Bun.Glob("src/**/*.ts").scanSync(root)) {
    if (path.endsWith(".test.ts")) continue;
    const text = readFileSync(join(root, path), "utf8");
    // The one sentence in backticks that begins with the program's name is "wharf cannot …".
    for (const [, words = ""] of text.matchAll(
      /['`](?:bin\/)?wharf (?!cannot )((?:[a-z][a-z-]*)(?: [a-z][a-z-]*)*)/g,
    )) {
      try {
        table.resolve(words.split(" "));
      } catch {
        faults.push(`${path}: wharf ${words}`);
      }
    }
  }
  expect(faults).toEqual([]);
});
