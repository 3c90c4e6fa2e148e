import { rmSync } from "node:fs";
import { findProgram } from "../../test/support/programs.ts";
import { type PeerRow, timesFaster } from "../peer-row.ts";
import { convertInTurn } from "./convert-in-turn.ts";
import { gunzipInto, onOneCore, pullOnce, tarInto } from "./converters.ts";
import type { ImageBench } from "./image-bench.ts";

/** `enroot import` of such an image took 28.1 s where `gzip -dc` into tar2sqfs zstd 3 took 9.8 s (both recorded on one machine of 2 cores). */
const ENROOT_TO_TAR2SQFS = 28.1 / 9.8;

/** Enroot's squashfs of zstd, beside tar2sqfs; and beside what Enroot would take and make. */
export async function measureSqsh(bench: ImageBench): Promise<readonly PeerRow[]> {
  const root = await bench.rootFileSystem();
  if (findProgram("tar2sqfs") === undefined || findProgram("mksquashfs") === undefined) {
    bench.say("LEFT OUT: tar2sqfs or mksquashfs is not on this machine");
    return [];
  }
  const ours = pullOnce(bench, root.source, "ours.sqsh");
  const theirs = gunzipInto(
    bench,
    root.gzip,
    "tar2sqfs --quiet --force -c zstd -X level=3 $2",
    "peer.squashfs",
  );
  const [own, peer] = await convertInTurn([ours, theirs], bench.settings.rounds);
  const alone = await convertInTurn(
    [onOneCore(ours, bench.scratch.at("one.sqsh")), onOneCore(theirs, bench.scratch.at("one.squashfs"))],
    1,
  );
  // What `enroot import` runs at its end, of the same files.
  const [lzo] = await convertInTurn(
    [
      tarInto(
        bench,
        root.tar,
        "mksquashfs - $2 -tar -all-root -comp lzo -noD -noappend -quiet -no-progress",
        "lzo.squashfs",
      ),
    ],
    1,
  );
  const [ownAlone, peerAlone] = alone;
  if (own === undefined || peer === undefined || lzo === undefined) throw new Error("nothing ran");
  if (ownAlone === undefined || peerAlone === undefined) throw new Error("nothing ran on one core");
  for (const name of ["ours.sqsh", "peer.squashfs", "one.sqsh", "one.squashfs", "lzo.squashfs"])
    rmSync(bench.scratch.at(name));
  const name = "gzip -dc into tar2sqfs zstd 3";
  const pipe = { peer: name, value: peer.ms };
  const pipeAlone = { peer: name, value: peerAlone.ms };
  const enroot = { peer: "Enroot, derived", value: peer.ms * ENROOT_TO_TAR2SQFS };
  const share = own.sizeBytes / lzo.sizeBytes;
  const row = { unit: "ms", decimals: 0 } as const;
  return [
    {
      ...row,
      work: "Enroot's squashfs of one gzip layer, zstd 3",
      wharf: own.ms,
      peers: [pipe],
      goal: "≥ 1.5 × tar2sqfs, gunzip included",
      verdict: timesFaster(own.ms, pipe, 1.5),
    },
    {
      ...row,
      work: "the same on one core",
      wharf: ownAlone.ms,
      peers: [pipeAlone],
      goal: "–",
      verdict: undefined,
    },
    {
      ...row,
      work: "the same beside `enroot import`",
      wharf: own.ms,
      peers: [enroot],
      goal: "≥ 5 × Enroot",
      verdict: timesFaster(own.ms, enroot, 5),
    },
    {
      work: "its size",
      unit: "MB",
      decimals: 1,
      wharf: own.sizeBytes / 1e6,
      peers: [
        { peer: "mksquashfs lzo -noD, as Enroot runs it", value: lzo.sizeBytes / 1e6 },
        { peer: "tar2sqfs zstd 3", value: peer.sizeBytes / 1e6 },
      ],
      goal: "≤ 0.4 × Enroot's",
      verdict: { met: share <= 0.4, words: `${share.toFixed(2)} × Enroot's` },
    },
    {
      work: "processor time for the squashfs",
      unit: "ms",
      decimals: 0,
      wharf: own.cpuMs,
      peers: [{ peer: name, value: peer.cpuMs }],
      goal: "–",
      verdict: undefined,
    },
  ];
}
