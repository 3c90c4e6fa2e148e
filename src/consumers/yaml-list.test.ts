import { expect, test } from "bun:test";
import fc from "fast-check";
import { isAppError } from "#core";
import { addYamlItem, removeYamlItem, yamlItems } from "./yaml-list.ts";

const PATH = ["imagePullSecrets"];
const ours = { name: "regcred", field: "name" };
const head = "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: default\n";

test.each([
  ["no list", head, `${head}imagePullSecrets:\n  - name: regcred\n`],
  [
    "a list, its comments and its indentation",
    `${head}imagePullSecrets: # whose\n- name: a # theirs\n- name: b\nautomountServiceAccountToken: false\n`,
    `${head}imagePullSecrets: # whose\n- name: a # theirs\n- name: b\n- name: regcred\nautomountServiceAccountToken: false\n`,
  ],
  [
    "a list in brackets",
    `${head}imagePullSecrets: [{name: a}] # one\n`,
    `${head}imagePullSecrets: [{name: a}, {"name":"regcred"}] # one\n`,
  ],
  ["an empty one", `${head}imagePullSecrets: []\n`, `${head}imagePullSecrets: [{"name":"regcred"}]\n`],
  ["nothing under the name", `${head}imagePullSecrets:\n`, `${head}imagePullSecrets: [{"name":"regcred"}]\n`],
  [
    "it is there",
    `${head}imagePullSecrets: [{name: regcred}]\n`,
    `${head}imagePullSecrets: [{name: regcred}]\n`,
  ],
  [
    "JSON",
    '{"kind":"ServiceAccount","secrets":[{"name":"s"}]}',
    '{"kind":"ServiceAccount","secrets":[{"name":"s"}], "imagePullSecrets": [{"name":"regcred"}]}',
  ],
  [
    "no end of line",
    `${head}imagePullSecrets:\n- name: a`,
    `${head}imagePullSecrets:\n- name: a\n- name: regcred`,
  ],
  ["nothing at all", "", "imagePullSecrets:\n  - name: regcred\n"],
])("adds to %s", (_name, before, after) => {
  expect(addYamlItem(before, PATH, ours, "sa.yaml")).toBe(after);
});

test.each([
  ["a text", `${head}imagePullSecrets: regcred\n`],
  ["an anchor's copy", `${head}x: &a [{name: b}]\nimagePullSecrets: *a\n`],
])("refuses where it is %s", (_name, before) => {
  let caught: unknown;
  try {
    addYamlItem(before, PATH, ours, "sa.yaml");
  } catch (fault) {
    caught = fault;
  }
  expect(isAppError(caught, "FILE_INVALID")).toBe(true);
});

test("what is added and taken out again leaves every byte", () => {
  const name = fc.constantFrom("a", "b-1", "registry.example", "on", "0123", "x y");
  const item = fc.tuple(name, fc.constantFrom("", " # kept"));
  const list = fc
    .tuple(
      fc.uniqueArray(item, { maxLength: 4, selector: ([key]) => key }),
      fc.constantFrom("", "  "),
      fc.boolean(),
    )
    .map(([items, indent, isFlow]) => {
      if (items.length === 0) return "";
      if (isFlow)
        return `imagePullSecrets: [${items.map(([key]) => `{name: ${JSON.stringify(key)}}`).join(", ")}]\n`;
      const lines = items.map(([key, end]) => `${indent}- name: ${JSON.stringify(key)}${end}\n`);
      return `imagePullSecrets:\n${lines.join("")}`;
    });
  fc.assert(
    fc.property(list, fc.constantFrom("", "secrets: [] # theirs\n", "# the end\n"), (before, tail) => {
      const text = head + before + tail;
      const names = yamlItems(text, PATH, "name", "sa.yaml");
      const added = addYamlItem(text, PATH, ours, "sa.yaml");
      expect(yamlItems(added, PATH, "name", "sa.yaml")).toEqual([...names, "regcred"]);
      expect(addYamlItem(added, PATH, ours, "sa.yaml")).toBe(added);
      expect(removeYamlItem(added, PATH, ours, "sa.yaml")).toBe(text);
      const [first] = names;
      if (first !== undefined)
        expect(
          yamlItems(removeYamlItem(added, PATH, { name: first, field: "name" }, "x"), PATH, "name", "x"),
        ).toEqual([...names.slice(1), "regcred"]);
    }),
    { seed: 20261122, numRuns: 300 },
  );
});

test("a list deeper down, in a mapping that is there", () => {
  const pod = "kind: Pod\nspec:\n    containers: []\n";
  expect(addYamlItem(pod, ["spec", "imagePullSecrets"], ours, "pod.yaml")).toBe(
    "kind: Pod\nspec:\n    containers: []\n    imagePullSecrets:\n        - name: regcred\n",
  );
});
