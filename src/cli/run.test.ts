import { expect, test } from "bun:test";
import { AppError, Secret } from "#core";
import { runCli } from "../../test/support/run-cli.ts";
import type { Command, Invocation } from "./command.ts";
import { createCommandTable } from "./command-table.ts";

const examples = [{ command: "wharf x", says: "an example" }];

/** A table of commands of the test's own; what each was run with is kept. */
function tableOf(commands: readonly Command[]) {
  return createCommandTable(
    [{ title: "Test", commands: Object.fromEntries(commands.map((c) => [c.path.join(" "), async () => c])) }],
    { box: "boxes for things" },
  );
}

function keeping(command: Partial<Command> & Pick<Command, "path">) {
  const seen: Invocation[] = [];
  const whole: Command = {
    summary: "do something",
    examples,
    async run(invocation) {
      seen.push(invocation);
      return undefined;
    },
    ...command,
  };
  return { seen, table: tableOf([whole]) };
}

function failing(error: unknown, more: Partial<Command> = {}) {
  return tableOf([
    {
      path: ["box", "open"],
      summary: "open a box",
      examples,
      ...more,
      async run() {
        throw error;
      },
    },
  ]);
}

test("a command gets its arguments, options and the global options, wherever these stand", async () => {
  const { seen, table } = keeping({
    path: ["box", "fill"],
    args: [
      { name: "box-name", summary: "which" },
      { name: "things", summary: "what", required: false, variadic: true },
    ],
    options: [
      { flag: "-w, --weight <grams>", summary: "how heavy", default: "10" },
      { flag: "--label <text>", summary: "labels", repeatable: true },
      { flag: "--dry-run", summary: "do nothing" },
    ],
  });
  const line = [
    "--json",
    "-c",
    "f.yaml",
    "box",
    "--no-color",
    "fill",
    "red",
    "a",
    "b",
    "--label",
    "x",
    "--label=y",
  ];
  const result = await runCli([...line, "--dry-run"], { table });
  expect(result).toMatchObject({ code: 0, err: "" });
  expect(seen[0]).toMatchObject({
    args: { boxName: "red", things: ["a", "b"] },
    options: { weight: "10", label: ["x", "y"], dryRun: true },
    json: true,
    configFile: "f.yaml",
  });
});

test("what stands after -- is an argument, whatever it looks like", async () => {
  const { seen, table } = keeping({ path: ["show"], args: [{ name: "text", summary: "what" }] });
  const result = await runCli(["show", "--", "--json"], { table });
  expect(result.code).toBe(0);
  expect(seen[0]).toMatchObject({ args: { text: "--json" }, json: false });
});

test("an unknown command exits 2 and names the nearest", async () => {
  const { table } = keeping({ path: ["box", "fill"] });
  expect(await runCli(["bxo"], { table })).toMatchObject({
    code: 2,
    out: "",
    err: "error: there is no command 'wharf bxo'\nhint: did you mean 'wharf box'?\n",
  });
  expect((await runCli(["box", "fil"], { table })).err).toContain("did you mean 'wharf box fill'?");
  expect((await runCli(["zzzzzz"], { table })).err).toContain("see 'wharf --help'");
});

test("a group without its second word is a usage error", async () => {
  const { table } = keeping({ path: ["box", "fill"] });
  const result = await runCli(["box"], { table });
  expect(result).toMatchObject({ code: 2, out: "" });
  expect(result.err).toContain("'wharf box' needs one more word");
});

test("wrong options and arguments exit 2 with the nearest option", async () => {
  const { table } = keeping({
    path: ["show"],
    args: [{ name: "text", summary: "what" }],
    options: [
      { flag: "--weight <grams>", summary: "how heavy" },
      { flag: "--as <form>", summary: "form", choices: ["long", "short"] },
    ],
  });
  const cases: [string[], string][] = [
    [["show", "a", "--wieght", "3"], "did you mean --weight?"],
    [["show"], "missing required argument 'text'"],
    [["show", "a", "b"], "too many arguments"],
    [["show", "a", "--weight"], "argument missing"],
    [["show", "a", "--as", "wide"], '--as cannot be "wide"'],
    [["--frob"], "there is no option '--frob' before a command"],
  ];
  for (const [args, words] of cases) {
    const result = await runCli(args, { table });
    expect({ args, code: result.code, out: result.out }).toEqual({ args, code: 2, out: "" });
    expect(result.err).toContain(words);
  }
});

test("an error says what was being done, why, and what to do; the exit code is the table's", async () => {
  const error = new AppError("DENIED", "the lid is shut", { hint: "bring a key" });
  expect(
    await runCli(["box", "open"], { table: failing(error, { doing: "opening the box" }) }),
  ).toMatchObject({
    code: 4,
    out: "",
    err: "error: opening the box: the lid is shut\nhint: bring a key\n",
  });
  expect((await runCli(["box", "open"], { table: failing(error) })).err).toStartWith("error: box open: ");
});

test("with --json an error is one document on standard output and nothing else", async () => {
  const error = new AppError("DRIFT", "two differ", {
    hint: "look",
    details: { count: 2, secret: new Secret("x") },
  });
  const result = await runCli(["box", "open", "--json"], { table: failing(error) });
  expect(result).toMatchObject({ code: 3, err: "" });
  expect(JSON.parse(result.out)).toEqual({
    error: { code: "DRIFT", message: "two differ", hint: "look", details: { count: 2, secret: "[secret]" } },
  });
  expect(JSON.parse((await runCli(["bxo", "--json"], { table: failing(error) })).out).error.code).toBe(
    "USAGE",
  );
  expect(
    JSON.parse((await runCli(["box", "open", "--x", "--json"], { table: failing(error) })).out),
  ).toMatchObject({
    error: { code: "USAGE" },
  });
});

test("an error that is not ours is a fault in wharf", async () => {
  const result = await runCli(["box", "open"], { table: failing(new TypeError("x is not a function")) });
  expect(result.code).toBe(1);
  expect(result.err).toContain("fault in wharf");
});

test("whatever fails after the signal was interrupted", async () => {
  const stop = new AbortController();
  const table = tableOf([
    {
      path: ["wait"],
      summary: "wait",
      examples,
      async run({ context }) {
        stop.abort();
        context.signal.throwIfAborted();
        return 0;
      },
    },
  ]);
  expect(await runCli(["wait"], { table, signal: stop.signal })).toMatchObject({ code: 130, out: "" });
});

test("text of others can not steer the terminal", async () => {
  const table = failing(new AppError("REGISTRY_FAILED", "it said \u001b[2Jhello\r\u202e"));
  const { err } = await runCli(["box", "open"], { table });
  expect(err).toContain("\\u{1b}[2Jhello\\u{d}\\u{202e}");
});

test("colours only where the terminal has them and nobody said no", async () => {
  const table = failing(new AppError("DENIED", "no"));
  expect((await runCli(["box", "open"], { table, color: true })).err).toContain("\u001b[31merror:");
  expect((await runCli(["box", "open", "--no-color"], { table, color: true })).err).toStartWith("error:");
  expect((await runCli(["box", "open"], { table })).err).toStartWith("error:");
});

test("help does not run the command, even beside a mistake", async () => {
  const { seen, table } = keeping({
    path: ["show"],
    options: [{ flag: "--old", summary: "gone", hidden: true }],
  });
  for (const args of [
    ["show", "--help"],
    ["help", "show"],
    ["show", "--frob", "-h"],
    ["--help", "show"],
  ]) {
    const result = await runCli(args, { table });
    expect(result).toMatchObject({ code: 0, err: "" });
    expect(result.out).toContain("usage: wharf show [options]");
    expect(result.out).not.toContain("--old");
  }
  expect(seen).toEqual([]);
});
