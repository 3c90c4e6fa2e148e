import { writeFileSync } from "node:fs";
import { programPath } from "../../test/support/programs.ts";
import { mustRun } from "../../test/support/run-program.ts";
import type { Scratch } from "../../test/support/scratch.ts";

export interface RequestLoad {
  readonly url: string;
  readonly authorization: string | undefined;
  readonly connections: number;
  readonly seconds: number;
}

export interface RequestRate {
  readonly perSecond: number;
  readonly medianMs: number;
}

const report = `
done = function(summary, latency, requests)
  local bad = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status + summary.errors.timeout
  io.write(string.format("WHARF %d %d %d %d\\n", summary.requests, summary.duration, bad, latency:percentile(50)))
end
`;

/** Sends the same GET again and again with wrk, in one thread (C, event loop: ten times lighter than any server here). Throws when one fails. */
export async function measureRequests(scratch: Scratch, load: RequestLoad): Promise<RequestRate> {
  // The token goes by a file: a command line is for everybody to read.
  const script = scratch.at(`wrk-${crypto.randomUUID()}.lua`);
  const headers = [
    ["Accept", "application/vnd.oci.image.manifest.v1+json"],
    ...(load.authorization === undefined ? [] : [["Authorization", load.authorization]]),
  ];
  const lines = headers.map(([name, value]) => `wrk.headers["${name}"] = "${value}"`);
  writeFileSync(script, `wrk.method = "GET"\n${lines.join("\n")}\n${report}`, { mode: 0o600 });
  const out = await mustRun([
    programPath("wrk"),
    "-t1",
    `-c${load.connections}`,
    `-d${load.seconds}s`,
    // bcrypt for 32 at once takes seconds.
    "--timeout=30s",
    "-s",
    script,
    load.url,
  ]);
  const match = /^WHARF (\d+) (\d+) (\d+) (\d+)$/m.exec(out);
  if (match === null) throw new Error(`wrk said nothing to read: ${out}`);
  const [requests = 0, microseconds = 1, bad = 0, median = 0] = match.slice(1).map(Number);
  if (bad > 0 || requests === 0) {
    throw new Error(`GET ${load.url}: ${bad} of ${requests} requests failed`);
  }
  return { perSecond: requests / (microseconds / 1e6), medianMs: median / 1000 };
}
