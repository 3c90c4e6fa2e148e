import { expect, test } from "bun:test";
import fc from "fast-check";
import { isAppError } from "#core";
import { addJson, type JsonValue, removeJson, setJson } from "./json-edit.ts";
import { type JsonNode, parseJsonText, readJsonText } from "./json-text.ts";

const parameters = { seed: 20261122, numRuns: 500 };

function valueOf(node: JsonNode): unknown {
  if (node.kind === "array") return node.items.map(valueOf);
  if (node.kind !== "object") return node.value;
  return Object.fromEntries(node.members.map((member) => [member.key, valueOf(member.value)]));
}

function parsed(text: string): unknown {
  try {
    return valueOf(parseJsonText(text, "f"));
  } catch (error) {
    if (isAppError(error, "FILE_INVALID")) return "refused";
    throw error;
  }
}

const plainKey = fc.string({ maxLength: 6 }).filter((key) => key !== "__proto__");
const jsonValue = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.string(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(plainKey, tie("value"), { maxKeys: 4, noNullPrototype: true }),
  ),
})).value;
const document = fc
  .tuple(
    fc.dictionary(plainKey, jsonValue, { maxKeys: 4, noNullPrototype: true }),
    fc.option(fc.dictionary(plainKey, jsonValue, { maxKeys: 4, noNullPrototype: true }), { nil: undefined }),
    fc.constantFrom<string | number | undefined>(undefined, 1, 2, 4, "\t"),
    fc.constantFrom("", "\n", "\r\n", " \n\n"),
  )
  .filter(([rest]) => !Object.keys(rest).some((key) => key.toLowerCase() === "auths"))
  .map(([rest, auths, indent, end]) => {
    const whole: Record<string, unknown> = auths === undefined ? rest : { ...rest, auths };
    return {
      whole,
      auths,
      text: JSON.stringify(whole, null, indent) + end,
    };
  });

test("what JSON.parse reads is read alike, what it refuses is refused", () => {
  const texts = fc.oneof(
    fc.json(),
    fc.string(),
    fc
      .tuple(fc.json(), fc.nat(), fc.constantFrom("", ",", '"', "}", "//", "\u0001", "e", "0", "\\"))
      .map(([text, at, put]) => {
        const cut = at % (text.length + 1);
        return text.slice(0, cut) + put + text.slice(cut + 1);
      }),
  );
  fc.assert(
    fc.property(texts, (text) => {
      let wanted: unknown;
      try {
        wanted = JSON.parse(text);
      } catch {
        wanted = "refused";
      }
      const isObject = typeof wanted === "object" && wanted !== null && !Array.isArray(wanted);
      const found = parsed(text);
      // A key that stands twice is refused by us alone.
      if (isObject && found === "refused") expect(() => parseJsonText(text, "f")).toThrow("stands twice");
      else expect(found).toEqual(isObject ? wanted : "refused");
    }),
    parameters,
  );
});

test("setting a member changes that member, and taking it out again gives the same bytes", () => {
  fc.assert(
    fc.property(document, plainKey, ({ whole, auths, text }, key) => {
      const value = { auth: "x", more: { deep: "y" } };
      const edited = setJson(text, ["auths", key], value, "f");
      expect(JSON.parse(edited)).toEqual({ ...whole, auths: { ...auths, [key]: value } });
      expect(setJson(edited, ["auths", key], value, "f")).toBe(edited);
      if (auths === undefined || Object.hasOwn(auths, key) || Object.keys(auths).length === 0) return;
      expect(removeJson(edited, ["auths", key], "f")).toBe(text);
    }),
    parameters,
  );
});

test("taking any member out leaves the others, and JSON", () => {
  fc.assert(
    fc.property(document, fc.nat(), ({ whole, auths, text }, at) => {
      const keys = Object.keys(auths ?? {});
      const key = keys[at % Math.max(keys.length, 1)] ?? "missing";
      const { [key]: _, ...left } = auths ?? {};
      const edited = removeJson(text, ["auths", key], "f");
      expect(JSON.parse(edited)).toEqual(auths === undefined ? whole : { ...whole, auths: left });
    }),
    parameters,
  );
});

test("limits: depth, size, bytes that are no text", () => {
  expect(parsed(`{"a":${"[".repeat(100)}${"]".repeat(100)}}`)).toBe("refused");
  expect(() => readJsonText(new Uint8Array(5 * 1024 * 1024), "f")).toThrow("larger than");
  expect(() => readJsonText(new Uint8Array([0x7b, 0xff, 0x7d]), "f")).toThrow("UTF-8");
});

test("a section that is null is filled, one on one line stays on one line", () => {
  expect(setJson('{"auths": null}', ["auths", "a"], { auth: "x" }, "f")).toBe(
    '{"auths": {"a": {"auth": "x"}}}',
  );
  expect(setJson('{\n  "auths": {"a": {}}\n}', ["auths", "b"], {}, "f")).toBe(
    '{\n  "auths": {"a": {}, "b": {}}\n}',
  );
  expect(setJson("{}", ["auths", "a"], "x", "f")).toBe('{\n\t"auths": {\n\t\t"a": "x"\n\t}\n}');
});

test("many new members at once are the same bytes as one after the other, however the file is laid out", () => {
  const layouts = fc.constantFrom(
    "{}",
    "{}\n",
    '{"auths":{}}',
    '{"auths": null}',
    '{"Auths":{"x":{"auth":"eA=="}}}',
    '{ "auths": { "x": {}, "y": {} }, "other": 1 }',
    '{\n\t"auths": {\n\t\t"x": {\n\t\t\t"auth": ""\n\t\t}\n\t}\n}\n',
    '{\r\n    "auths": {\r\n        "x": {"auth": ""}\r\n    },\r\n    "z": []\r\n}',
    '{\n  "credsStore": "pass",\n  "auths": {\n    "x": {},\n\n    "y": {}\n  }\n}\n',
  );
  const members = fc.uniqueArray(
    fc.record({
      key: fc.constantFrom("a", "b", 'c"', "d.example:5000", "e"),
      value: fc.constantFrom<JsonValue>("text", {}, { auth: "eA==" }, { auth: "eA==", identitytoken: "t" }),
    }),
    { maxLength: 5, selector: ({ key }) => key },
  );
  fc.assert(
    fc.property(layouts, members, (text, list) => {
      expect(addJson(text, "auths", list, "f")).toBe(
        list.reduce<string>((now, { key, value }) => setJson(now, ["auths", key], value, "f"), text),
      );
    }),
    { seed: 20261122, numRuns: 400 },
  );
});
