import { statSync } from "node:fs";
import { until } from "../../test/support/until.ts";
import { basic } from "../../test/support/wharf-process.ts";
import { timeRun } from "../delivery/time-runs.ts";
import type { PeerRow } from "../peer-row.ts";
import { median } from "../registry/row.ts";
import { BENCH_REPOSITORY, requestsOf, startBenchRegistry } from "./bench-registry.ts";
import { clearOutput, homeOf, wharfPull } from "./converters.ts";
import type { ImageBench } from "./image-bench.ts";

/** Nodes that want the same SIF, one after another: this machine has the cores of one. */
const NODES = 4;
const CONVERSION_LIMIT_MS = 600_000;

/** A SIF that the registry makes of the image: how long until it is there, and what each node asks for and waits, beside a plain GET of the file. */
export async function measureServed(bench: ImageBench): Promise<readonly PeerRow[]> {
  const server = await startBenchRegistry(bench);
  try {
    const authorization = { authorization: basic(server.admin) };
    const address = `${server.url}/v2/${BENCH_REPOSITORY}`;
    await server.admin.call("PATCH", "/projects/bench", { convert: "sif" });
    const started = performance.now();
    const manifest = await until(
      "the registry has made the SIF",
      async () => {
        const answer = await fetch(`${address}/manifests/one.sif`, { headers: authorization });
        return answer.status === 200 ? ((await answer.json()) as Manifest) : undefined;
      },
      CONVERSION_LIMIT_MS,
    );
    const madeMs = performance.now() - started;
    const digest = manifest.layers[0]?.digest ?? "";
    const plainMs: number[] = [];
    const nodeMs: number[] = [];
    const asked: string[] = [];
    for (let node = 0; node < NODES; node++) {
      plainMs.push(await timeGet(bench, `${address}/blobs/${digest}`, authorization.authorization));
      const pull = wharfPull(
        bench,
        `oras://${server.host}/${BENCH_REPOSITORY}:one.sif`,
        `node-${node}.sif`,
        "--no-cache",
      );
      asked.push(
        ...(await requestsOf(server, async () => {
          nodeMs.push((await timeRun(pull)).ms);
        })),
      );
      if (statSync(pull.out).size !== manifest.layers[0]?.size) throw new Error(`${pull.out} is not the SIF`);
      clearOutput(pull);
    }
    const gets = asked.filter((request) => request.startsWith(`GET /v2/${BENCH_REPOSITORY}/blobs/`));
    const others = gets.filter((request) => !request.endsWith(digest)).length;
    const [ours, plain] = [median(nodeMs), median(plainMs)];
    return [
      {
        work: "SIF made by the registry, from the first request until it is there",
        unit: "ms",
        decimals: 0,
        wharf: madeMs,
        peers: [],
        goal: "–",
        verdict: undefined,
      },
      {
        work: "that SIF on each further node",
        unit: "ms",
        decimals: 0,
        wharf: ours,
        peers: [{ peer: "curl of the same blob", value: plain }],
        goal: "one blob for each node, at the speed of a blob's GET",
        verdict: {
          // A large blob comes in stretches, each a GET. The program's own start, its digest check and its sync to disk are in ours.
          met: others === 0 && ours <= plain * 1.5,
          words: `${(ours / plain).toFixed(2)} × curl's time; ${gets.length / NODES} GETs of stretches for each node, ${others} of another blob`,
        },
      },
    ];
  } finally {
    await server.stop();
  }
}

interface Manifest {
  readonly layers: readonly { readonly digest: string; readonly size: number }[];
}

/** The login goes by standard input: arguments are everybody's to read. */
async function timeGet(bench: ImageBench, url: string, authorization: string): Promise<number> {
  const out = bench.scratch.at("plain");
  const { ms } = await timeRun({
    command: ["curl", "--silent", "--show-error", "--fail", "--config", "-", "--output", out, url],
    env: homeOf(bench),
    input: `header = "Authorization: ${authorization}"\n`,
  });
  return ms;
}
