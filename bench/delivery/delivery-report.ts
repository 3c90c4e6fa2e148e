import { cpus, release, totalmem, type } from "node:os";
import { mustRun, runProgram } from "../../test/support/run-program.ts";
import type { DeliveryBench, DeliveryRow } from "./delivery-row.ts";

/** The report as Markdown: one table, met or missed in plain words. */
export async function renderDeliveryReport(
  root: string,
  bench: DeliveryBench,
  rows: readonly DeliveryRow[],
): Promise<string> {
  const commit = (await runProgram(["git", "-C", root, "describe", "--always", "--dirty"])).out.trim();
  const version = (await mustRun([bench.wharf, "--version"])).trim();
  const figure = (row: DeliveryRow, value: number | undefined): string =>
    value === undefined
      ? "–"
      : value.toLocaleString("en", {
          minimumFractionDigits: row.decimals,
          maximumFractionDigits: row.decimals,
        });
  const peers = (row: DeliveryRow): string =>
    row.peers.map(({ peer, value }) => `${peer}: ${figure(row, value)}`).join("; ") || "–";
  const verdict = (row: DeliveryRow): string => {
    if (row.verdict !== undefined) return `${row.verdict.met ? "met" : "**missed**"}: ${row.verdict.words}`;
    if (row.wharf === undefined) return "not measured here";
    return row.goal === "–" ? "–" : "nobody to compare with";
  };
  const judged = rows.filter((row) => row.verdict !== undefined);
  const [processor] = cpus();
  return `# Benchmark: delivery

Written by \`npm run bench delivery\`. ${judged.filter((row) => row.verdict?.met === true).length} of ${judged.length} goals met.

Side by side in one run on one machine, in turn, medians. Trust the ratios, not the absolute figures. Wharfinger runs as shipped: the
single executable, logins in a vault, every file synced to disk. A time is from the start of the process to its end.

| work | unit | wharf | beside it | goal | verdict |
|---|---|---|---|---|---|
${rows
  .map(
    (row) =>
      `| ${row.work} | ${row.unit} | ${figure(row, row.wharf)} | ${peers(row)} | ${row.goal} | ${verdict(row)} |`,
  )
  .join("\n")}

Hosts are aliases of one sshd on loopback, each with a home of its own, so both ends of every connection share this machine's cores. No
connection is open before a first delivery; after it each uses those that it keeps by itself. Ansible gets what favours it: pipelining, no facts gathered, its interpreter named, the folder made;
it has one round, as it takes minutes. The floor is OpenSSH alone, 16 at once: on a new connection that is kept, then over it.

- Machine: ${processor?.model ?? "unknown processor"}, ${cpus().length} cores, ${Math.round(totalmem() / 1e9)} GB, ${type()} ${release()}
- wharf: ${version}${commit === "" ? "" : ` (${commit})`}, the single executable
- Bun: ${Bun.version}
${[...bench.versions].map(([name, text]) => `- ${name}: ${text}\n`).join("")}`;
}
