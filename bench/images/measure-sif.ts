import { rmSync } from "node:fs";
import { findProgram } from "../../test/support/programs.ts";
import { type PeerRow, timesFaster } from "../peer-row.ts";
import { convertInTurn } from "./convert-in-turn.ts";
import { gunzipInto, pullOnce, tarInto } from "./converters.ts";
import type { ImageBench } from "./image-bench.ts";

/** What a SIF has unless somebody says otherwise. */
const LEVEL = 5;
/**
 * `apptainer pull` of such an image took 106.8 s where `mksquashfs -tar` at gzip 9 took 82.7 s of its plain tar (both recorded on one machine of 2
 * cores): with it is unpacking by umoci, and three copies of the result.
 */
const APPTAINER_TO_GZIP_9 = 106.8 / 82.7;

/** A SIF of gzip, which every runtime reads, beside mksquashfs; and beside what Apptainer would take. */
export async function measureSif(bench: ImageBench): Promise<readonly PeerRow[]> {
  const root = await bench.rootFileSystem();
  if (findProgram("mksquashfs") === undefined) {
    bench.say("LEFT OUT: mksquashfs is not on this machine");
    return [];
  }
  const mksquashfs = (level: number): string =>
    `mksquashfs - $2 -tar -comp gzip -Xcompression-level ${level} -noappend -quiet -no-progress`;
  const ours = pullOnce(bench, root.source, "ours.sif");
  const [own, peer] = await convertInTurn(
    [ours, gunzipInto(bench, root.gzip, mksquashfs(LEVEL), "peer.squashfs")],
    // Half a minute each.
    Math.min(2, bench.settings.rounds),
  );
  // A minute and a half: once.
  const [nine] = await convertInTurn([tarInto(bench, root.tar, mksquashfs(9), "nine.squashfs")], 1);
  const [four] = await convertInTurn([pullOnce(bench, root.fourLayers, "four.sif")], 1);
  if (own === undefined || peer === undefined || nine === undefined || four === undefined)
    throw new Error("nothing ran");
  for (const name of ["ours.sif", "peer.squashfs", "nine.squashfs", "four.sif"])
    rmSync(bench.scratch.at(name));
  const pipe = { peer: `gzip -dc into mksquashfs gzip ${LEVEL}`, value: peer.ms };
  const apptainer = { peer: "Apptainer, derived", value: nine.ms * APPTAINER_TO_GZIP_9 };
  const besideBytes = own.writtenBytes - own.sizeBytes;
  const row = { unit: "ms", decimals: 0 } as const;
  return [
    {
      ...row,
      work: `SIF of one gzip layer, gzip ${LEVEL}`,
      wharf: own.ms,
      peers: [pipe],
      goal: "≥ 1.5 × mksquashfs at the same level, gunzip included",
      verdict: timesFaster(own.ms, pipe, 1.5),
    },
    {
      ...row,
      work: "the same beside `apptainer pull`",
      wharf: own.ms,
      peers: [{ peer: "mksquashfs gzip 9 of the plain tar", value: nine.ms }, apptainer],
      goal: "≥ 7 × Apptainer",
      verdict: timesFaster(own.ms, apptainer, 7),
    },
    {
      work: "its size",
      unit: "MB",
      decimals: 1,
      wharf: own.sizeBytes / 1e6,
      peers: [
        { peer: "mksquashfs gzip 9, as Apptainer runs it", value: nine.sizeBytes / 1e6 },
        { peer: `mksquashfs gzip ${LEVEL}`, value: peer.sizeBytes / 1e6 },
      ],
      goal: "within 5 % of Apptainer's",
      verdict: {
        met: own.sizeBytes <= nine.sizeBytes * 1.05,
        words: `${((own.sizeBytes / nine.sizeBytes - 1) * 100).toFixed(1)} % more`,
      },
    },
    {
      ...row,
      work: "SIF of the same files in four layers",
      wharf: four.ms,
      peers: [],
      goal: "–",
      verdict: undefined,
    },
    {
      work: "processor time for the SIF",
      unit: "ms",
      decimals: 0,
      wharf: own.cpuMs,
      peers: [{ ...pipe, value: peer.cpuMs }],
      goal: "–",
      verdict: undefined,
    },
    {
      work: "written to files beside the result, image in a layout",
      unit: "MB",
      decimals: 1,
      wharf: besideBytes / 1e6,
      peers: [{ ...pipe, value: (peer.writtenBytes - peer.sizeBytes) / 1e6 }],
      goal: "nothing but the cache's blobs",
      // A page here and there, and blocks that turned out to be there already.
      verdict: {
        met: besideBytes <= own.sizeBytes * 0.05,
        words: `${(besideBytes / 1e6).toFixed(1)} MB`,
      },
    },
  ];
}
