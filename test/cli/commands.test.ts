/** What every command of wharf must have. */
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createCommandTable, groups, sections } from "#cli";
import { runCli } from "../support/run-cli.ts";

const table = createCommandTable(sections, groups);
const commands = await table.load([]);

test("every command stands under its own words", () => {
  expect(commands.map((command) => command.path.join(" "))).toEqual([...table.paths]);
});

test("every first word with several commands says what it is about", () => {
  const firsts = table.paths.filter((path) => path.includes(" ")).map((path) => path.split(" ")[0] ?? "");
  expect([...new Set(firsts)].filter((word) => groups[word] === undefined)).toEqual([]);
});

test("a command's file loads no room before it runs", () => {
  const folder = join(import.meta.dir, "../../src/cli/commands");
  const early: string[] = [];
  for (const name of readdirSync(folder)) {
    // The server's options are data for help, made to be light.
    for (const [, door = ""] of readFileSync(join(folder, name), "utf8").matchAll(
      /^import (?!type )[^;]*?from "(#[^"]+)";$/gm,
    ))
      if (door !== "#core" && door !== "#server/options") early.push(`${name}: ${door}`);
  }
  expect(early).toEqual([]);
});

for (const command of commands) {
  const words = command.path.join(" ");
  test(`${words}: help has a summary, the global options and an example that names it`, async () => {
    const { code, out, err } = await runCli([...command.path, "--help"]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(command.summary).toMatch(/^[a-z`'].*[^.]$/);
    for (const flag of ["--json", "--config <file>", "--no-color", "--help"]) expect(out).toContain(flag);
    expect(command.examples.length).toBeGreaterThan(0);
    for (const example of command.examples) expect(example.command).toContain(`wharf ${words}`);
    expect(Math.max(...out.split("\n").map((line) => line.length))).toBeLessThanOrEqual(130);
  });

  test(`${words}: a wrong option is a usage error, in words and in JSON`, async () => {
    const plain = await runCli([...command.path, "--no-such-option"]);
    expect({ code: plain.code, out: plain.out }).toEqual({ code: 2, out: "" });
    expect(plain.err).toMatch(/^error: .+\nhint: .+\n$/);
    const json = await runCli([...command.path, "--no-such-option", "--json"]);
    expect({ code: json.code, err: json.err }).toEqual({ code: 2, err: "" });
    expect(JSON.parse(json.out).error.code).toBe("USAGE");
  });
}
