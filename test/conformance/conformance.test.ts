/** The OCI distribution specification's own conformance program: nothing fails, nothing is skipped that is ours (issue 3, "Serve"). */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { startDistribution } from "../support/distribution.ts";
import { needs } from "../support/programs.ts";
import { createScratch, type Scratch } from "../support/scratch.ts";
import { createProjectRobot, startWharf, type WharfProcess } from "../support/wharf-process.ts";
import { parseConformanceReport } from "./conformance-report.ts";
import { runConformance } from "./run-conformance.ts";

/** What a version leaves out by itself, whatever the registry can do. */
const leftOut = {
  "1.1": /upload cancel|post cancel|tag-param|Tag Param|Sparse/i,
  dev: /Sparse/i,
} as const;

describe("ours", () => {
  let scratch: Scratch;
  let wharf: WharfProcess | undefined;
  beforeAll(() => {
    scratch = createScratch("conf");
  });
  afterAll(async () => {
    await wharf?.stop();
    scratch.remove();
  });

  for (const version of ["1.1", "dev"] as const) {
    needs("conformance")(
      `conforms to ${version}: zero failures, zero skips that are ours`,
      async () => {
        wharf ??= await startWharf(scratch);
        const project = `conf-${version.replace(".", "-")}`;
        const robot = await createProjectRobot(wharf.admin, project, ["pull", "push", "delete"]);
        const results = await runConformance(
          scratch,
          { host: wharf.host, ...robot, repositories: [`${project}/one`, `${project}/two`] },
          version,
        );
        const told = (status: string) =>
          results
            .filter((result) => result.status === status)
            .map((result) => `${result.name}: ${result.words}`);
        const failed = [...told("FAIL"), ...told("Error"), ...told("Unknown")];
        // The first ones say enough, and can be read.
        expect({ failures: failed.length, first: failed.slice(0, 10) }).toEqual({ failures: 0, first: [] });
        expect(told("Skip")).toEqual([]);
        expect(told("Disabled").filter((words) => !leftOut[version].test(words))).toEqual([]);
        // So that a program that ends early is no success.
        expect(results.filter((result) => result.status === "Pass").length).toBeGreaterThan(600);
      },
      120_000,
    );
  }
});

describe("the harness", () => {
  needs("conformance", "registry")(
    "sees the failures of a registry that has them",
    async () => {
      const scratch = createScratch("peer");
      const peer = await startDistribution(scratch);
      try {
        const target = { host: peer.host, repositories: ["conf/one", "conf/two"] as const };
        const results = await runConformance(scratch, target, "1.1");
        const failed = results.filter((result) => result.status === "FAIL");
        expect(failed.length).toBeGreaterThan(50);
        expect(failed.some((result) => result.name.endsWith("empty/referrers"))).toBe(true);
        expect(failed[0]?.words).toContain("expected");
        expect(results.some((result) => result.status === "Skip")).toBe(true);
      } finally {
        await peer.stop();
        scratch.remove();
      }
    },
    120_000,
  );

  test("reads statuses and words of leaves only", () => {
    const report = [
      "time=x level=WARN msg=early",
      "Test results",
      "OCI Conformance Test: FAIL",
      "  OCI Conformance Test/ping: Pass",
      "  OCI Conformance Test/empty: FAIL",
      "    OCI Conformance Test/empty/referrers: FAIL",
      "     - expected 200",
      "received 404",
      "  OCI Conformance Test/sha256 blobs/post cancel/blob-post-cancel: Disabled",
      "",
      "API conformance:",
      "  Ping...: Pass",
    ].join("\n");
    expect(parseConformanceReport(report)).toEqual([
      { name: "OCI Conformance Test/ping", status: "Pass", words: "" },
      {
        name: "OCI Conformance Test/empty/referrers",
        status: "FAIL",
        words: "- expected 200\nreceived 404\n",
      },
      {
        name: "OCI Conformance Test/sha256 blobs/post cancel/blob-post-cancel",
        status: "Disabled",
        words: "",
      },
    ]);
  });
});
