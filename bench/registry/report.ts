import { cpus, release, totalmem, type } from "node:os";
import { findProgram } from "../../test/support/programs.ts";
import { realPrograms } from "../../test/support/real-programs.ts";
import { mustRun, runProgram } from "../../test/support/run-program.ts";
import type { Row, Sample } from "./row.ts";
import type { ServerName, Settings } from "./server.ts";

/** What was measured with what, where. */
export interface Surroundings {
  readonly machine: string;
  readonly versions: Readonly<Record<string, string>>;
}

export async function readSurroundings(root: string, wharf: readonly string[]): Promise<Surroundings> {
  const commit = (await runProgram(["git", "-C", root, "describe", "--always", "--dirty"])).out.trim();
  const first = async (command: readonly string[]): Promise<string> => {
    const ran = await runProgram(command);
    return `${ran.out}${ran.err}`.split("\n")[0]?.trim() ?? "";
  };
  const [processor] = cpus();
  const distribution = realPrograms.find((program) => program.name === "registry")?.from;
  const versions: Record<string, string> = {
    wharf: `${(await mustRun([...wharf, "--version"])).trim()}${commit === "" ? "" : ` (${commit})`}, the single executable`,
    Bun: Bun.version,
  };
  if (distribution?.kind === "go" && findProgram("registry") !== undefined) {
    versions.Distribution = distribution.version;
  }
  for (const [name, flag] of [
    ["nginx", "-v"],
    ["wrk", "-v"],
    ["curl", "--version"],
  ] as const) {
    const path = findProgram(name);
    if (path !== undefined) versions[name] = await first([path, flag]);
  }
  return {
    machine: `${processor?.model ?? "unknown processor"}, ${cpus().length} cores, ${Math.round(totalmem() / 1e9)} GB, ${type()} ${release()}`,
    versions,
  };
}

/** The report as Markdown: one table, met or missed in plain words. */
export function renderReport(rows: readonly Row[], around: Surroundings, settings: Settings): string {
  const names: readonly ServerName[] = ["wharf", "distribution", "nginx"];
  const cell = (row: Row, sample: Sample | undefined): string => {
    if (sample === undefined) return "–";
    const cpu = sample.cpuPerGb === undefined ? "" : ` (${sample.cpuPerGb.toFixed(2)})`;
    return `${sample.value.toLocaleString("en", { minimumFractionDigits: row.decimals, maximumFractionDigits: row.decimals })}${cpu}`;
  };
  const verdict = (row: Row): string => {
    if (row.verdict === undefined) return row.goal === "–" ? "–" : "nobody to compare with";
    return `${row.verdict.met ? "met" : "**missed**"}: ${row.verdict.words}`;
  };
  const lines = rows.map(
    (row) =>
      `| ${row.work} | ${row.unit} | ${names.map((name) => cell(row, row.samples[name])).join(" | ")} | ${row.goal} | ${verdict(row)} |`,
  );
  const judged = rows.filter((row) => row.verdict !== undefined);
  const met = judged.filter((row) => row.verdict?.met === true).length;
  return `# Benchmark: registry

Written by \`npm run bench registry\`. ${met} of ${judged.length} goals met.

Side by side in one run on one machine, every server in turn, medians of ${settings.rounds}. Trust the ratios, not the absolute figures.
Wharfinger runs as shipped: the single executable, access control on, every acknowledged write on disk (fsync). Distribution and
nginx run open, and Distribution does not sync: that favours them.

| work | unit | wharf | Distribution | nginx | goal | verdict |
|---|---|---|---|---|---|---|
${lines.join("\n")}

CPU is the server's own (its process and all children, user and system), for each gigabyte moved. Memory is the sum over its processes.

How the load is made: GETs of small things by wrk (one thread), HEADs by raw sockets; downloads by curl, one process for each connection; uploads by one
\`fetch\` with a file as its body (sendfile); pushes and tags by raw keep-alive sockets. The generators share the cores with the servers.

- Machine: ${around.machine}
${Object.entries(around.versions)
  .map(([name, version]) => `- ${name}: ${version}`)
  .join("\n")}
`;
}
