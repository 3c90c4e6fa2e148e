import { expect, test } from "bun:test";
import fc from "fast-check";
import { isAppError } from "#core";
import { iniKeywords, iniValue, readIniText, removeIni, setIni } from "./ini-text.ts";

const spot = { section: "DEFAULT", keyword: "registry_creds" };
const service =
  "# a service\n[DEFAULT]\norchestrate = ha\n\n[container#1]\ntype = docker\nimage = r.example/x\n";

test.each([
  ["a section", service, `${service.replace("= ha\n", "= ha\nregistry_creds = c\n")}`],
  ["an empty section", "[DEFAULT]\n\n[env]\n", "[DEFAULT]\nregistry_creds = c\n\n[env]\n"],
  ["no section", "[env]\na = b\n", "[DEFAULT]\nregistry_creds = c\n\n[env]\na = b\n"],
  ["nothing", "", "[DEFAULT]\nregistry_creds = c\n"],
  ["no end of line", "[DEFAULT]\na = b", "[DEFAULT]\na = b\nregistry_creds = c"],
  ["Windows' line ends", "[DEFAULT]\r\na = b\r\n", "[DEFAULT]\r\na = b\r\nregistry_creds = c\r\n"],
  ["another value", "[DEFAULT]\nregistry_creds: old\n", "[DEFAULT]\nregistry_creds = c\n"],
  [
    "a value over lines",
    "[DEFAULT]\nregistry_creds = old\n  more\na = b\n",
    "[DEFAULT]\nregistry_creds = c\na = b\n",
  ],
  [
    "a value of many lines above",
    "[DEFAULT]\nvolumes = a\n  b\n# the end\n",
    "[DEFAULT]\nvolumes = a\n  b\nregistry_creds = c\n# the end\n",
  ],
])("sets in %s", (_name, before, after) => {
  expect(setIni(before, spot, "c", "x.conf")).toBe(after);
  expect(iniValue(after, spot, "x.conf")).toBe("c");
});

test.each([
  ["a section that is not there", service, { section: "container#9", keyword: "registry_creds" }],
  ["a section twice", "[DEFAULT]\n[DEFAULT]\n", spot],
  ["a keyword twice", "[DEFAULT]\na = b\na = c\n", spot],
  ["a line before the sections", "a = b\n[DEFAULT]\n", spot],
  ["a line that says nothing", "[DEFAULT]\nword\n", spot],
  ["a value that begins in the air", "[DEFAULT]\n  word\n", spot],
])("refuses %s", (_name, text, at) => {
  let caught: unknown;
  try {
    setIni(text, at, "c", "x.conf");
  } catch (fault) {
    caught = fault;
  }
  expect(isAppError(caught, "FILE_INVALID")).toBe(true);
});

test("what is set and taken out again leaves every byte", () => {
  const line = fc.constantFrom("# c", "; c", "", "a = 1", "b: 2", "c@node1 = x", "long = a\n  b", "d=%(x)s");
  const section = fc
    .tuple(fc.constantFrom("container#1", "env", "ip#0"), fc.uniqueArray(line, { maxLength: 5 }))
    .map(([name, lines]) => ({ name, text: [`[${name}]`, ...lines].join("\n") }));
  const file = fc
    .tuple(
      fc.uniqueArray(line, { maxLength: 5 }),
      fc.uniqueArray(section, { maxLength: 3, selector: ({ name }) => name }),
      fc.constantFrom("", "\n", "\n\n"),
      fc.boolean(),
    )
    .map(([lines, sections, end, isCrlf]) => {
      const text = ["[DEFAULT]", ...lines, ...sections.map((one) => one.text)].join("\n") + end;
      return isCrlf ? text.replaceAll("\n", "\r\n") : text;
    });
  fc.assert(
    fc.property(file, (text) => {
      const set = setIni(text, spot, "creds-x", "x.conf");
      expect(iniValue(set, spot, "x.conf")).toBe("creds-x");
      expect(setIni(set, spot, "creds-x", "x.conf")).toBe(set);
      expect(removeIni(set, spot, "x.conf")).toBe(text);
      for (const keyword of iniKeywords(text, "DEFAULT", "x.conf")) {
        const other = { section: "DEFAULT", keyword };
        expect(iniValue(set, other, "x.conf")).toBe(iniValue(text, other, "x.conf"));
      }
    }),
    { seed: 20261122, numRuns: 500 },
  );
});

test("any bytes are read, or refused as FILE_INVALID", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array(),
        fc.string().map((text) => new TextEncoder().encode(text)),
      ),
      (bytes) => {
        try {
          setIni(readIniText(bytes, "x.conf"), spot, "c", "x.conf");
        } catch (fault) {
          if (!isAppError(fault, "FILE_INVALID")) throw fault;
        }
      },
    ),
    { seed: 20261122, numRuns: 500 },
  );
});
