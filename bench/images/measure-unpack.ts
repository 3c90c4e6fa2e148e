import { findProgram, programPath } from "../../test/support/programs.ts";
import type { PeerRow } from "../peer-row.ts";
import { convertInTurn } from "./convert-in-turn.ts";
import { clearOutput, homeOf, pullOnce } from "./converters.ts";
import type { ImageBench } from "./image-bench.ts";

/** A root file system in a folder, beside umoci's: what Apptainer begins with. */
export async function measureUnpack(bench: ImageBench): Promise<readonly PeerRow[]> {
  const root = await bench.rootFileSystem();
  const ours = pullOnce(bench, root.source, "ours", "--format", "rootfs");
  const out = bench.scratch.at("umoci");
  const umoci = {
    command: ["umoci", "raw", "unpack", "--image", root.umociName, out],
    env: homeOf(bench),
    out,
  };
  const hasUmoci = findProgram("umoci") !== undefined;
  if (hasUmoci) umoci.command[0] = programPath("umoci");
  else bench.say("LEFT OUT: umoci is not on this machine");
  // Twenty seconds: once.
  const [own, peer] = await convertInTurn(hasUmoci ? [ours, umoci] : [ours], 1);
  clearOutput(ours);
  clearOutput(umoci);
  return [
    {
      work: "root file system in a folder",
      unit: "ms",
      decimals: 0,
      wharf: own?.ms,
      peers: peer === undefined ? [] : [{ peer: "umoci raw unpack", value: peer.ms }],
      goal: "–",
      verdict: undefined,
    },
  ];
}
