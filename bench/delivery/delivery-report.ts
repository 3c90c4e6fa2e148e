import type { PeerRow } from "../peer-row.ts";
import { countGoals, renderMachine, renderRows } from "../render-rows.ts";
import type { DeliveryBench } from "./delivery-row.ts";

/** The report as Markdown: one table, met or missed in plain words. */
export async function renderDeliveryReport(
  root: string,
  bench: DeliveryBench,
  rows: readonly PeerRow[],
): Promise<string> {
  return `# Benchmark: delivery

Written by \`npm run bench delivery\`. ${countGoals(rows)}.

Side by side in one run on one machine, in turn, medians. Trust the ratios, not the absolute figures. Wharfinger runs as shipped: the
single executable, logins in a vault, every file synced to disk. A time is from the start of the process to its end.

${renderRows(rows)}

Hosts are aliases of one sshd on loopback, each with a home of its own, so both ends of every connection share this machine's cores. No
connection is open before a first delivery; after it each uses those that it keeps by itself. Ansible gets what favours it: pipelining, no facts gathered, its interpreter named, the folder made;
it has one round, as it takes minutes. The floor is OpenSSH alone, 16 at once: on a new connection that is kept, then over it.

${await renderMachine(root, bench.wharf, bench.versions)}`;
}
