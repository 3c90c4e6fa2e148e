import { programPath } from "../support/programs.ts";
import { runProgram } from "../support/run-program.ts";
import type { Scratch } from "../support/scratch.ts";
import { type ConformanceResult, parseConformanceReport } from "./conformance-report.ts";

export interface ConformanceTarget {
  readonly host: string;
  readonly username?: string;
  readonly secret?: string;
  /** Two repositories, the second one to mount from. */
  readonly repositories: readonly [string, string];
}

/** Runs the specification's own program against a registry on plain HTTP. */
export async function runConformance(
  scratch: Scratch,
  target: ConformanceTarget,
  version: "1.1" | "dev",
): Promise<ConformanceResult[]> {
  const ran = await runProgram([programPath("conformance")], {
    cwd: scratch.path,
    env: {
      PATH: process.env.PATH ?? "",
      HOME: scratch.path,
      OCI_REGISTRY: target.host,
      OCI_TLS: "disabled",
      OCI_REPO1: target.repositories[0],
      OCI_REPO2: target.repositories[1],
      OCI_VERSION: version,
      OCI_RESULTS_DIR: scratch.at(`results-${version}`),
      ...(target.username === undefined ? {} : { OCI_USERNAME: target.username }),
      ...(target.secret === undefined ? {} : { OCI_PASSWORD: target.secret }),
    },
  });
  const results = parseConformanceReport(ran.out);
  if (results.length === 0) throw new Error(`the conformance program tested nothing: ${ran.out}${ran.err}`);
  return results;
}
