import { cpus, release, totalmem, type } from "node:os";
import { mustRun, runProgram } from "../test/support/run-program.ts";
import type { PeerRow } from "./peer-row.ts";

/** Goals that could be judged, and those that are met. */
export function countGoals(rows: readonly PeerRow[]): string {
  const judged = rows.filter((row) => row.verdict !== undefined);
  return `${judged.filter((row) => row.verdict?.met === true).length} of ${judged.length} goals met`;
}

/** The rows as a Markdown table, met or missed in plain words. */
export function renderRows(rows: readonly PeerRow[]): string {
  const lines = rows.map(
    (row) =>
      `| ${row.work} | ${row.unit} | ${renderFigure(row, row.wharf)} | ${renderPeers(row)} | ${row.goal} | ${renderVerdict(row)} |`,
  );
  return ["| work | unit | wharf | beside it | goal | verdict |", "|---|---|---|---|---|---|", ...lines].join(
    "\n",
  );
}

/** What was measured where and with what, as a Markdown list; `versions` are those of the peers. */
export async function renderMachine(
  root: string,
  wharf: string,
  versions: ReadonlyMap<string, string>,
): Promise<string> {
  const commit = (await runProgram(["git", "-C", root, "describe", "--always", "--dirty"])).out.trim();
  const version = (await mustRun([wharf, "--version"])).trim();
  const [processor] = cpus();
  return `- Machine: ${processor?.model ?? "unknown processor"}, ${cpus().length} cores, ${Math.round(totalmem() / 1e9)} GB, ${type()} ${release()}
- wharf: ${version}${commit === "" ? "" : ` (${commit})`}, the single executable
- Bun: ${Bun.version}
${[...versions].map(([name, text]) => `- ${name}: ${text}\n`).join("")}`;
}

function renderFigure(row: PeerRow, value: number | undefined): string {
  if (value === undefined) return "–";
  return value.toLocaleString("en", {
    minimumFractionDigits: row.decimals,
    maximumFractionDigits: row.decimals,
  });
}

function renderPeers(row: PeerRow): string {
  return row.peers.map(({ peer, value }) => `${peer}: ${renderFigure(row, value)}`).join("; ") || "–";
}

function renderVerdict(row: PeerRow): string {
  if (row.verdict !== undefined) return `${row.verdict.met ? "met" : "**missed**"}: ${row.verdict.words}`;
  if (row.wharf === undefined) return "not measured here";
  return row.goal === "–" ? "–" : "nobody to compare with";
}
