/** What holds of the frame whatever is typed. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { runCli } from "../../test/support/run-cli.ts";
import { createCommandTable } from "./command-table.ts";
import { plainText } from "./plain-text.ts";
import { renderTable } from "./table.ts";
import { wrapText } from "./wrap-text.ts";

const options = { seed: 20261122, numRuns: 400 };

test("whatever is typed ends with 0 or 2, help never runs a command, and --json prints one document", async () => {
  let runs = 0;
  const command = (path: string[]) => async () => ({
    path,
    summary: "do something",
    examples: [{ command: `wharf ${path.join(" ")}`, says: "so" }],
    args: [{ name: "things", summary: "what", required: false, variadic: true }],
    options: [{ flag: "-w, --weight <grams>", summary: "how heavy", repeatable: true }],
    run: async ({ json, terminal }: { json: boolean; terminal: { out(text: string): void } }) => {
      runs++;
      if (json) terminal.out("{}\n");
      return undefined;
    },
  });
  const table = createCommandTable(
    [{ title: "Test", commands: { show: command(["show"]), "box fill": command(["box", "fill"]) } }],
    { box: "boxes" },
  );
  const word = fc.oneof(
    fc.constantFrom(
      "show",
      "box",
      "fill",
      "help",
      "--",
      "-",
      "-c",
      "--config=x",
      "-w",
      "--weight=3",
      "--no-color",
    ),
    fc.constantFrom(
      "--json",
      "-h",
      "--help",
      "-V",
      "--version",
      "--weight",
      "__proto__",
      "--constructor",
      "",
    ),
    fc.string({ maxLength: 8 }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(word, { maxLength: 6 }), async (args) => {
      const before = runs;
      const { code, out, err } = await runCli(args, { table });
      expect([0, 2]).toContain(code);
      const end = args.indexOf("--");
      const own = args.slice(0, end === -1 ? undefined : end);
      if (code === 2 && own.includes("--json")) expect(Object.keys(JSON.parse(out))).toEqual(["error"]);
      if (code === 2 && !own.includes("--json")) expect(err).toStartWith("error: ");
      if (runs > before) expect(code).toBe(0);
      if (
        own.includes("--help") &&
        code === 0 &&
        !own.includes("-c") &&
        !own.includes("-w") &&
        !own.includes("--weight")
      )
        expect(runs).toBe(before);
    }),
    options,
  );
});

test("text of others has no control characters left, and plain text is the same", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
      expect(plainText(text)).not.toMatch(/[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/u);
      expect(plainText(text, "lines").split("\n").length).toBe(text.split("\n").length);
    }),
    options,
  );
  expect(plainText("Zürich 東京 🐳")).toBe("Zürich 東京 🐳");
});

test("wrapping changes nothing but where lines end", () => {
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1, maxLength: 40 }), (words) => {
      const lines = wrapText(words.join(" "), 30).split("\n");
      expect(lines.join(" ")).toBe(words.join(" "));
      for (const line of lines) expect(line.length).toBeLessThanOrEqual(30);
    }),
    options,
  );
});

test("a table's columns begin at the same place in every line, wide characters too", () => {
  const columns = [
    { head: "NAME", cell: (row: readonly [string, string]) => row[0] },
    { head: "WHAT", cell: (row: readonly [string, string]) => row[1] },
  ];
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.stringMatching(/^[a-z東🐳]{1,10}$/u), fc.constant("|")), {
        minLength: 1,
        maxLength: 5,
      }),
      (rows) => {
        const [head = "", ...lines] = renderTable(columns, rows, false).trimEnd().split("\n");
        const at = Bun.stringWidth(head.slice(0, head.indexOf("WHAT")));
        for (const line of lines) expect(Bun.stringWidth(line.slice(0, line.indexOf("|")))).toBe(at);
      },
    ),
    options,
  );
  expect(renderTable(columns, [], false)).toBe("");
});
