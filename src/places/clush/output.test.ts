import { expect, test } from "bun:test";
import fc from "fast-check";
import { splitByNode } from "./output.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text);

test("lines of each node, blank ones too; what ssh said of it goes before what clush says", () => {
  const split = splitByNode(["n1", "n2", "n3"], {
    stdout: bytes("n1: one\nn2: two: more\nn1: \nn1:   x\nelse: what\nno node\n"),
    stderr:
      "n2: ssh: no route\nclush: n2: exited with exit code 255\nclush: n3: command timeout\nclush: WARNING\n",
  });
  expect(Buffer.from(split.get("n1")?.stdout ?? []).toString()).toBe("one\n\n  x");
  expect(Buffer.from(split.get("n2")?.stdout ?? []).toString()).toBe("two: more");
  expect([...split.values()].map(({ lastWords }) => lastWords)).toEqual([
    "",
    "ssh: no route",
    "command timeout",
  ]);
});

test("whatever nodes print, mixed in any order, each has its own lines again, byte for byte", () => {
  const line = fc.uint8Array({ maxLength: 20 }).map((one) => one.filter((byte) => byte !== 10));
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom("n1", "n2", "n10"), line), { maxLength: 30 }), (said) => {
      const stdout = Buffer.concat(said.flatMap(([node, words]) => [bytes(`${node}: `), words, bytes("\n")]));
      const split = splitByNode(["n1", "n2", "n10"], { stdout, stderr: "" });
      for (const [node, output] of split) {
        const own = said.filter(([one]) => one === node).map(([, words]) => Buffer.from(words));
        const joined = own.flatMap((words, index) => (index === 0 ? [words] : [bytes("\n"), words]));
        expect(Buffer.from(output.stdout).equals(Buffer.concat(joined))).toBe(true);
      }
    }),
    { seed: 4 },
  );
});
