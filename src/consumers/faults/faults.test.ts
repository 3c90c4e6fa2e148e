/** Each mistake of the table is seen in a small file of its shape, not seen where the right value stands, and mended where it says so. */
import { expect, test } from "bun:test";
import { authFileExamples } from "../../../test/support/fault-examples/auth-files.ts";
import type { FaultExample } from "../../../test/support/fault-examples/fault-example.ts";
import { hostFileExamples } from "../../../test/support/fault-examples/host-files.ts";
import { netrcFileExamples } from "../../../test/support/fault-examples/netrc-files.ts";
import { pullSecretExamples } from "../../../test/support/fault-examples/pull-secrets.ts";
import { writtenCommandExamples } from "../../../test/support/fault-examples/written-commands.ts";
import { faultTable } from "./fault-table.ts";
import { findFaults } from "./find-faults.ts";
import { mendText } from "./mend-text.ts";

const examples: readonly FaultExample[] = [
  ...authFileExamples,
  ...netrcFileExamples,
  ...pullSecretExamples,
  ...hostFileExamples,
  ...writtenCommandExamples,
];

const codesOf = (example: FaultExample, text: string): readonly string[] =>
  findFaults({
    path: example.path,
    bytes: Buffer.from(text),
    ...(example.mode === undefined ? {} : { mode: text === example.wrong ? example.mode : 0o600 }),
    ...(example.curl === undefined ? {} : { curl: example.curl }),
  }).map(({ code }) => code);

test("every mistake that a file can show has an example", () => {
  const shown = new Set(examples.map(({ code }) => code));
  // WD043 is about two files (test/doctor.test.ts), WD057 about the time and those from 100 on about a cluster (cluster-faults.test.ts).
  const elsewhere = ["WD043", "WD057", "WD100", "WD101", "WD102", "WD103", "WD104"];
  expect(Object.keys(faultTable).filter((code) => !shown.has(code))).toEqual(elsewhere);
});

for (const [index, example] of examples.entries()) {
  test(`${example.code} is found in example ${index + 1}, and not where it is right`, () => {
    if (example.code !== "WD018") {
      expect(codesOf(example, example.wrong)).toContain(example.code);
      expect(codesOf(example, example.right)).not.toContain(example.code);
    } else {
      const bytes = Buffer.from(example.wrong);
      expect(findFaults({ path: "config.json", bytes, mode: 0o644 }).map(({ code }) => code)).toEqual([
        "WD018",
      ]);
      expect(findFaults({ path: "config.json", bytes, mode: 0o600 })).toEqual([]);
    }
  });
}

test("what is mended is exactly the right file; what is not sure stays as it is", () => {
  for (const example of examples) {
    const mended = mendText({ path: example.path, bytes: Buffer.from(example.wrong) });
    const own = mended.done.filter(({ fault }) => fault.code === example.code);
    if (example.mends === true)
      expect({ code: example.code, text: text(mended.bytes) }).toEqual({
        code: example.code,
        text: example.right,
      });
    else expect({ code: example.code, mended: own.length }).toEqual({ code: example.code, mended: 0 });
  }
});

test("the table says of --fix what the rules do", () => {
  for (const [code, row] of Object.entries(faultTable)) {
    const of = examples.filter((example) => example.code === code);
    const mends = of.filter((example) => example.mends === true).length;
    if (row.mends === "no") expect({ code, mends }).toEqual({ code, mends: 0 });
    else if (code !== "WD018") expect({ code, isMended: mends > 0 }).toEqual({ code, isMended: true });
  }
});

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
