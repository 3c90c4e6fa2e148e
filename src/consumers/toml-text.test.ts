import { expect, test } from "bun:test";
import fc from "fast-check";
import { isAppError } from "#core";
import { parseTomlText, type TomlValue, tomlAt } from "./toml-text.ts";

function plain(value: TomlValue): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [key, plain(item)]));
  if (Array.isArray(value)) return value.map((item: TomlValue) => plain(item));
  return typeof value === "object" && "source" in value ? `#${value.source}` : value;
}

// TOML 1.0, by its sections.
test.each([
  ["tables in any order", "[a.b]\n[a]\nc=1", { a: { b: {}, c: "#1" } }],
  ["dotted and quoted keys", "\"a.b\".'c d'.e = true # x", { "a.b": { "c d": { e: true } } }],
  ["lists of tables", "[[a]]\nx=1\n[[a]]\n[a.b]\ny=2", { a: [{ x: "#1" }, { b: { y: "#2" } }] }],
  ["a list over lines", "a=[1, # c\n 'x',\n]", { a: ["#1", "x"] }],
  ["an inline table", "a={b=1, c.d='x'}", { a: { b: "#1", c: { d: "x" } } }],
  ["escapes", 'a="\\u00e4\\t\\\\"', { a: "ä\t\\" }],
  ["a literal has none", "a='C:\\x'", { a: "C:\\x" }],
  ["many lines, the first end left out", 'a="""\nx\\\n   y"""', { a: "xy" }],
  ["an escaped backslash at the end of a line", 'a="""x\\\\\ny"""', { a: "x\\\ny" }],
  ["a quote before the three", "a='''q''''", { a: "q'" }],
  [
    "dates and numbers as they stand",
    "a=1979-05-27T07:32:00Z\nb=1_000",
    { a: "#1979-05-27T07:32:00Z", b: "#1_000" },
  ],
])("reads %s", (_name, text, expected) => {
  expect(plain(parseTomlText(text, "f"))).toEqual(expected);
});

test.each([
  "a=1\na=2",
  "[a]\n[a]",
  "a.b=1\n[a]",
  "a={b=1}\n[a.c]",
  "a=[1]\n[[a]]",
  "[a]\nb.c=1\n[a.b]",
  'a="\\q"',
  'a="x\ny"',
  "a=1 b=2",
  "a=",
  "[a",
  "a=01",
  "\u0000",
  "a='\u0001'",
])("refuses %j with line and column", (text) => {
  expect(() => parseTomlText(text, "/f.toml")).toThrow(/^\/f\.toml:\d+:\d+: /);
});

test("finds a value, or nothing", () => {
  const table = parseTomlText("[a.b]\nc='x'", "f");
  expect(tomlAt(table, ["a", "b", "c"])).toBe("x");
  expect(tomlAt(table, ["a", "b", "c", "d"])).toBeUndefined();
});

test("whatever stands in a file, it is read or refused", () => {
  const piece = fc.constantFrom(
    "[",
    "]",
    "a",
    ".",
    "=",
    '"',
    "'",
    '"""',
    "\n",
    "{",
    "}",
    ",",
    "1",
    "\\",
    "#",
    " ",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      try {
        parseTomlText(pieces.join(""), "f");
      } catch (fault) {
        if (!isAppError(fault, "FILE_INVALID")) throw fault;
      }
    }),
    { seed: 20261122, numRuns: 2000 },
  );
});
