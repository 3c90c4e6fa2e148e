import { timeInTurn, timeRun } from "../delivery/time-runs.ts";
import { atMostMs, type PeerRow } from "../peer-row.ts";
import { BENCH_REPOSITORY, requestsOf, startBenchRegistry } from "./bench-registry.ts";
import { type Converter, wharfPull } from "./converters.ts";
import type { ImageBench } from "./image-bench.ts";

/** A first pull from a registry of ours, and the second one of the same digest: how long, how many requests, what is written. */
export async function measureSecondPull(bench: ImageBench): Promise<readonly PeerRow[]> {
  const root = await bench.rootFileSystem();
  const server = await startBenchRegistry(bench);
  try {
    const source = `docker://${server.host}/${BENCH_REPOSITORY}:one`;
    const pull = (out: string, ...options: readonly string[]): Converter =>
      wharfPull(bench, source, out, "--force", ...options);
    const first = pull("first.sqsh");
    const rows: PeerRow[] = [];
    const { ms, writtenBytes } = await timeRun(first);
    const resultBytes = Bun.file(first.out).size;
    const beside = (writtenBytes - resultBytes - root.gzipBytes) / 1e6;
    rows.push(
      {
        work: "first pull from a registry on this machine, squashfs zstd 3",
        unit: "ms",
        decimals: 0,
        wharf: ms,
        peers: [],
        goal: "–",
        verdict: undefined,
      },
      {
        work: "written to files by it beside the cache's blob and the result",
        unit: "MB",
        decimals: 1,
        wharf: beside,
        peers: [],
        goal: "nothing",
        verdict: { met: beside <= (resultBytes / 1e6) * 0.05, words: `${beside.toFixed(1)} MB` },
      },
    );
    await timeRun(pull("first.sif"));
    for (const [work, again] of [
      ["second pull of the same digest, squashfs", pull("again.sqsh")],
      ["second pull of the same digest, SIF, linked", pull("again.sif", "--link")],
      ["second pull of the same digest, SIF, a file of its own", pull("own.sif")],
    ] as const) {
      const requests = await requestsOf(server, () => timeRun(again));
      const [medianMs = Number.NaN] = await timeInTurn([again], bench.settings.pulls);
      const verdict = atMostMs(medianMs, 50);
      rows.push({
        work,
        unit: "ms",
        decimals: 1,
        wharf: medianMs,
        peers: [],
        goal: "≤ 50 ms, one HEAD beside signing in",
        verdict: {
          met: verdict.met && isOneHead(requests),
          words: `${verdict.words}; ${requests.join(", ") || "no request"}`,
        },
      });
    }
    return rows;
  } finally {
    await server.stop();
  }
}

/** Of the image itself nothing but its HEAD was asked; the challenge and the token before it are the same for every request to a registry. */
function isOneHead(requests: readonly string[]): boolean {
  const ofImage = requests.filter((request) => request.includes(`/${BENCH_REPOSITORY}/`));
  return ofImage.length === 1 && ofImage[0]?.startsWith("HEAD ") === true;
}
