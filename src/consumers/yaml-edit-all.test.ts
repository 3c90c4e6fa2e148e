import { expect, test } from "bun:test";
import fc from "fast-check";
import { isAppError } from "#core";
import { setYaml } from "./yaml-edit.ts";
import { setYamlAll, type YamlEdit } from "./yaml-edit-all.ts";

const hosts = ["a.example", "b.example:5000", "c.example", "d.example", "e.example"];

/** Files as people write them: with comments, braces, holes, other indentation, and the line's end of another system. */
const files = fc
  .record({
    head: fc.constantFrom("", "# ours\n", "mirrors:\n  docker.io:\n    endpoint: [https://m.example]\n"),
    name: fc.constantFrom("", "configs:\n", "configs: # logins\n", "configs: {}\n"),
    there: fc.uniqueArray(
      fc.record({
        host: fc.constantFrom(...hosts),
        body: fc.constantFrom(
          "\n  auth: {auth: old}",
          "\n  auth:\n    username: u # whose\n    password: p",
          ":",
          " # nothing",
          "\n  tls:\n    insecure_skip_verify: true",
          " {auth: {auth: old}, tls: {ca_file: /ca}}",
        ),
      }),
      { maxLength: 4, selector: ({ host }) => host },
    ),
    unit: fc.constantFrom("  ", "    "),
    tail: fc.constantFrom("", "\n", "\n# end\n", "\nother: 1\n"),
    isWindows: fc.boolean(),
  })
  .map(({ head, name, there, unit, tail, isWindows }) => {
    const hasBlock = name !== "" && name !== "configs: {}\n";
    const body = hasBlock
      ? there
          .filter((one) => one.body !== ":")
          .map(({ host, body: text }) => `"${host}":${text}`.replaceAll("\n", `\n${unit}`))
          .map((line) => `${unit}${line}`)
          .join("\n")
      : "";
    const text = `${head}${name}${body}${tail}`;
    return isWindows ? text.replaceAll("\n", "\r\n") : text;
  });

const edits: fc.Arbitrary<readonly YamlEdit[]> = fc.uniqueArray(
  fc
    .record({ host: fc.constantFrom(...hosts), what: fc.constantFrom("auth", "tls") })
    .map(({ host, what }) => ({
      path: ["configs", host, what],
      value: what === "auth" ? { auth: "new" } : { ca_file: "/new" },
    })),
  { maxLength: 10, selector: ({ path }) => path.join(" ") },
);

function outcome(work: () => string): string {
  try {
    return work();
  } catch (cause) {
    if (isAppError(cause, "FILE_INVALID")) return "FILE_INVALID";
    throw cause;
  }
}

test("many members at once are the same bytes as one after the other, whatever the file is like", () => {
  let applied = 0;
  fc.assert(
    fc.property(files, edits, (text, list) => {
      const single = outcome(() =>
        list.reduce((now, { path, value }) => setYaml(now, path, value, "f"), text),
      );
      expect(outcome(() => setYamlAll(text, list, "f"))).toBe(single);
      if (single !== "FILE_INVALID" && list.length > 1) applied++;
    }),
    { seed: 20261122, numRuns: 600 },
  );
  expect(applied).toBeGreaterThan(250);
}, 60_000);
