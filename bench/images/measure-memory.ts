import { rmSync, statfsSync, statSync } from "node:fs";
import { writeLayout } from "../../test/support/write-layout.ts";
import { timeRun } from "../delivery/time-runs.ts";
import type { PeerRow } from "../peer-row.ts";
import { readUsage } from "../registry/process-tree.ts";
import { makeBigLayer } from "./big-layer.ts";
import { type Converter, clearOutput, gunzipInto, pullOnce } from "./converters.ts";
import type { ImageBench } from "./image-bench.ts";

const GOAL_MB = 400;
const SAMPLE_MS = 50;

/** The most memory that converting takes: of an image far larger than memory ought to be, and of the ordinary one beside mksquashfs. */
export async function measureMemory(bench: ImageBench): Promise<readonly PeerRow[]> {
  const root = await bench.rootFileSystem();
  const { scratch, settings } = bench;
  const small = await peakOf(pullOnce(bench, root.source, "small.sqsh"));
  const mksquashfs = await peakOf(
    gunzipInto(
      bench,
      root.gzip,
      "mksquashfs - $2 -tar -comp zstd -Xcompression-level 3 -noappend -quiet -no-progress",
      "small.squashfs",
    ),
  );
  const rows: PeerRow[] = [
    {
      ...memoryRow("peak memory, the root file system into squashfs zstd 3", small.peakMb),
      peers: [{ peer: "gzip -dc into mksquashfs", value: mksquashfs.peakMb }],
    },
  ];
  // The layer twice, and the result.
  const free = statfsSync(scratch.path);
  const freeBytes = free.bavail * free.bsize;
  if (freeBytes < settings.bigBytes * 1.8) {
    bench.say(
      `LEFT OUT: the large image, for which there are only ${Math.round(freeBytes / 1e9)} GB of disk`,
    );
    return [...rows, { ...memoryRow("peak memory, the large image", undefined), verdict: undefined }];
  }
  const path = scratch.at("big.zst");
  await writeLayout(scratch.at("big"), [await makeBigLayer(root.tar, path, settings.bigBytes)]);
  rmSync(path);
  const big = await peakOf(pullOnce(bench, `oci:${scratch.at("big")}:image`, "big.sqsh"));
  rmSync(scratch.at("big"), { recursive: true });
  const gigabytes = (settings.bigBytes / 1e9).toFixed(settings.bigBytes < 1e9 ? 1 : 0);
  return [
    ...rows,
    memoryRow(`peak memory, an image of ${gigabytes} GB into squashfs zstd 3`, big.peakMb),
    {
      work: "time for that image",
      unit: "ms",
      decimals: 0,
      wharf: big.ms,
      peers: [],
      goal: "–",
      verdict: undefined,
    },
    {
      work: "its size",
      unit: "MB",
      decimals: 0,
      wharf: big.sizeBytes / 1e6,
      peers: [],
      goal: "–",
      verdict: undefined,
    },
  ];
}

function memoryRow(work: string, peakMb: number | undefined): PeerRow {
  return {
    work,
    unit: "MB",
    decimals: 0,
    wharf: peakMb,
    peers: [],
    goal: `≤ ${GOAL_MB} MB`,
    verdict: peakMb === undefined ? undefined : { met: peakMb <= GOAL_MB, words: `${peakMb.toFixed(0)} MB` },
  };
}

/** The highest resident memory of a run, all its processes together; the result is removed. */
async function peakOf(
  converter: Converter,
): Promise<{ readonly peakMb: number; readonly ms: number; readonly sizeBytes: number }> {
  let peakMb = 0;
  let sampling: NodeJS.Timeout | undefined;
  try {
    const { ms } = await timeRun(converter, (pid) => {
      sampling = setInterval(() => {
        peakMb = Math.max(peakMb, readUsage(pid).peakMb);
      }, SAMPLE_MS);
    });
    return { peakMb, ms, sizeBytes: statSync(converter.out).size };
  } finally {
    clearInterval(sampling);
    clearOutput(converter);
  }
}
