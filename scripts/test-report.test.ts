import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseTestReport, renderSkips } from "./test-report.ts";

test("counts what bun really writes: passed, failed, skipped, nested, with names to escape", async () => {
  const folder = mkdtempSync(join(tmpdir(), "wharf-report-"));
  try {
    const lines = [
      'import { describe, expect, test } from "bun:test";',
      'test("a < b & \\"c\\"", () => { expect(1).toBe(2); });',
      'test("good", () => {});',
      'describe("group", () => { test("throws", () => { throw new Error("<testcase/>"); }); test("inner", () => {}); });',
      'test.skip("with podman [skipped: needs podman]", () => {});',
      'test.todo("later");',
    ];
    writeFileSync(join(folder, "sample.test.ts"), lines.join("\n"));
    const report = join(folder, "report.xml");
    const child = Bun.spawn(
      [process.execPath, "test", "--reporter=junit", `--reporter-outfile=${report}`, folder],
      { cwd: folder, stdio: ["ignore", "ignore", "ignore"] },
    );
    expect(await child.exited).toBe(1);
    const counts = parseTestReport(readFileSync(report, "utf8"));
    expect(counts).toMatchObject({ passed: 2, failed: 2, skipped: 2 });
    expect(counts.failedNames[0]).toEndWith('a < b & "c"');
    expect(counts.skippedNames[0]).toEndWith("with podman [skipped: needs podman]");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("an empty report counts nothing", () => {
  expect(parseTestReport("")).toMatchObject({ passed: 0, failed: 0, skipped: 0 });
});

test("skips are told by reason, with counts and files; one without a reason by its name", () => {
  expect(
    renderSkips([
      "test/a.test.ts: one [skipped: needs podman]",
      "test/b.test.ts: two [skipped: needs podman]",
      "test/a.test.ts: three [skipped: needs root]",
      "src/c.test.ts: later",
    ]),
  ).toEqual([
    "SKIPPED 2: needs podman (test/a.test.ts, test/b.test.ts)",
    "SKIPPED 1: needs root (test/a.test.ts)",
    "SKIPPED 1: no reason given: src/c.test.ts: later (src/c.test.ts)",
  ]);
});
