import { mustRun } from "../../test/support/run-program.ts";
import { createScratch } from "../../test/support/scratch.ts";
import { insideScratch } from "../inside-scratch.ts";
import { type Measure, runMeasures } from "../run-measures.ts";
import type { ImageBench, ImageSettings } from "./image-bench.ts";
import { renderImageReport } from "./image-report.ts";
import { measureMemory } from "./measure-memory.ts";
import { measureSecondPull } from "./measure-second-pull.ts";
import { measureServed } from "./measure-served.ts";
import { measureSif } from "./measure-sif.ts";
import { measureSqsh } from "./measure-sqsh.ts";
import { measureUnpack } from "./measure-unpack.ts";
import { makeRootFileSystem, type RootFileSystem } from "./root-file-system.ts";

/** Every measure of the table Images, in the order of the report. */
const measures: readonly (readonly [string, Measure<ImageBench>])[] = [
  ["sif", measureSif],
  ["sqsh", measureSqsh],
  ["unpack", measureUnpack],
  ["second", measureSecondPull],
  ["served", measureServed],
  ["memory", measureMemory],
];

/** Debian's packages of the programs beside it. */
const PEER_PACKAGES = ["squashfs-tools", "squashfs-tools-ng", "umoci", "gzip"];

/** Measures the table Images; the report. `only` names some of the measures. `wharf` is the executable. */
export async function benchImages(
  root: string,
  wharf: string,
  settings: ImageSettings,
  only: readonly string[],
): Promise<string> {
  const scratch = createScratch("bench");
  const say = (line: string): void => console.error(line);
  let made: Promise<RootFileSystem> | undefined;
  const makeOnce = (): Promise<RootFileSystem> => {
    say("making the root file system ...");
    return makeRootFileSystem(insideScratch(scratch, "root-file-system"), settings.rootBytes);
  };
  const versions = await readVersions();
  const benchFor = (name: string): ImageBench => ({
    scratch: insideScratch(scratch, name),
    wharf,
    settings,
    versions,
    rootFileSystem: () => (made ??= makeOnce()),
    say,
  });
  try {
    const rows = await runMeasures(measures, only, benchFor);
    return await renderImageReport(root, benchFor("report"), rows);
  } finally {
    scratch.remove();
  }
}

async function readVersions(): Promise<Map<string, string>> {
  const versions = new Map<string, string>();
  for (const name of PEER_PACKAGES) {
    const status = await mustRun(["dpkg-query", "-W", "-f", "${Version}", name]).catch(() => undefined);
    if (status !== undefined) versions.set(name, status);
  }
  return versions;
}
