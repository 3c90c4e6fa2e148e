import { runConformance } from "../../test/conformance/run-conformance.ts";
import { findProgram } from "../../test/support/programs.ts";
import type { Scratch } from "../../test/support/scratch.ts";
import type { Row, Sample } from "./row.ts";
import { type BenchServer, project, type ServerName } from "./server.ts";
import type { WharfServer } from "./start-servers.ts";

/** How many checks of the specification's own program fail. */
export async function measureConformance(
  scratch: Scratch,
  wharf: WharfServer,
  servers: readonly BenchServer[],
): Promise<Row[]> {
  if (findProgram("conformance") === undefined) return [];
  const rows: Row[] = [];
  for (const version of ["1.1", "dev"] as const) {
    const samples: Partial<Record<ServerName, Sample>> = {};
    for (const server of servers) {
      if (server.target === undefined) continue;
      const repositories = [`${project}/conf-${version}-one`, `${project}/conf-${version}-two`] as const;
      const target = { host: new URL(server.url).host, repositories };
      const results = await runConformance(
        scratch,
        server.name === "wharf" ? { ...target, ...wharf.robot } : target,
        version,
      );
      samples[server.name] = { value: results.filter((result) => result.status === "FAIL").length };
    }
    const failed = samples.wharf?.value ?? Number.NaN;
    rows.push({
      work: `conformance program, ${version}: failed checks`,
      unit: "checks",
      decimals: 0,
      goal: "0",
      samples,
      verdict: { met: failed === 0, words: String(failed) },
    });
  }
  return rows;
}
