import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { programPath } from "../../support/programs.ts";
import { mustRun, runProgram } from "../../support/run-program.ts";
import type { Bench, ImageClient, ImageClientKind } from "../image-client.ts";
import { createLayoutStore } from "../layout-store.ts";

export const crane: ImageClientKind = { name: "crane", programs: ["crane", "skopeo"], start: startCrane };

async function startCrane(bench: Bench): Promise<ImageClient> {
  const { env, fixture, scratch } = bench;
  const store = createLayoutStore(scratch, "crane");
  // crane pushes a layout whole: the one image in it, or its index.json itself.
  const single = async (tag: string): Promise<string> => {
    const layout = scratch.at(`crane-${tag}`);
    await mustRun(
      [programPath("skopeo"), "copy", "--all", `oci:${fixture.layout}:${tag}`, `oci:${layout}:${tag}`],
      { env },
    );
    return layout;
  };
  const image = await single("image");
  const index = await single("index");
  copyFileSync(
    join(index, "blobs", "sha256", fixture.indexDigest.slice("sha256:".length)),
    join(index, "index.json"),
  );
  const run = (...args: readonly string[]) => runProgram([programPath("crane"), ...args], { env });
  const pull = async (reference: string) => {
    const layout = store.fresh();
    const ran = await run("pull", "--format=oci", reference, layout);
    return { ran, digest: store.digestIn(layout) };
  };
  return {
    imageDigest: fixture.manifestDigest,
    push: (reference) => run("push", image, reference),
    pull,
    index: {
      digest: fixture.indexDigest,
      push: (reference) => run("push", "--index", index, reference),
      pull,
    },
  };
}
