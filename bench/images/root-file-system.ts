import { rmSync, writeFileSync } from "node:fs";
import type { LayerBlob } from "../../src/images/contract.ts";
import { mustRun } from "../../test/support/run-program.ts";
import type { Scratch } from "../../test/support/scratch.ts";
import { writeLayout } from "../../test/support/write-layout.ts";
import { fileLayer, mustHash } from "./file-layer.ts";
import { choosePackageFiles } from "./package-files.ts";

/** A Debian root file system as an image: made of what this machine has installed. */
export interface RootFileSystem {
  /** The image with one layer, as `oci:` names it, and what umoci calls it. */
  readonly source: string;
  readonly umociName: string;
  /** The same files in four layers. */
  readonly fourLayers: string;
  /** The one layer, plain and as it is in the image. */
  readonly tar: string;
  readonly gzip: string;
  readonly tarBytes: number;
  readonly gzipBytes: number;
  readonly paths: number;
}

const LAYERS = 4;

/** Makes one of about `bytes` bytes. Takes Debian's own tar and gzip 6, one stream each, as builders do. */
export async function makeRootFileSystem(scratch: Scratch, bytes: number): Promise<RootFileSystem> {
  const paths = await choosePackageFiles(bytes);
  const each = Math.ceil(paths.length / LAYERS);
  // Each processor has one gzip to run; the whole is as long as the four.
  const [whole, parts] = await Promise.all([
    packLayer(scratch, "whole", paths),
    packAll(
      scratch,
      Array.from({ length: LAYERS }, (_, at) => paths.slice(at * each, (at + 1) * each)),
    ),
  ]);
  await writeLayout(scratch.at("one"), [whole.layer]);
  await writeLayout(scratch.at("four"), parts);
  return {
    source: `oci:${scratch.at("one")}:image`,
    umociName: `${scratch.at("one")}:image`,
    fourLayers: `oci:${scratch.at("four")}:image`,
    tar: scratch.at("whole.tar"),
    gzip: scratch.at("whole.tar.gz"),
    tarBytes: whole.tarBytes,
    gzipBytes: whole.layer.bytes.sizeBytes,
    paths: paths.length,
  };
}

async function packAll(scratch: Scratch, parts: readonly (readonly string[])[]): Promise<LayerBlob[]> {
  const layers: LayerBlob[] = [];
  for (const [at, paths] of parts.entries()) {
    layers.push((await packLayer(scratch, `part-${at}`, paths)).layer);
    rmSync(scratch.at(`part-${at}.tar`));
  }
  return layers;
}

async function packLayer(
  scratch: Scratch,
  name: string,
  paths: readonly string[],
): Promise<{ readonly layer: LayerBlob; readonly tarBytes: number }> {
  const list = scratch.at(`${name}.list`);
  const tar = scratch.at(`${name}.tar`);
  writeFileSync(list, paths.map((path) => path.slice(1)).join("\0"));
  const options = ["--no-recursion", "--numeric-owner", "--owner=0", "--group=0", "--null"];
  await mustRun(["tar", "-C", "/", ...options, "--files-from", list, "-cf", tar]);
  await mustRun(["sh", "-c", 'gzip -6 -n <"$1" >"$1.gz"', "sh", tar], { timeoutMs: 600_000 });
  const { sha256, sizeBytes } = await mustHash(tar);
  return { layer: await fileLayer(`${tar}.gz`, sha256), tarBytes: sizeBytes };
}
