import { programPath } from "../../support/programs.ts";
import { runProgram } from "../../support/run-program.ts";
import type { Bench, ImageClient, ImageClientKind } from "../image-client.ts";
import { createLayoutStore } from "../layout-store.ts";

export const skopeo: ImageClientKind = {
  name: "skopeo",
  programs: ["skopeo"],
  start: (bench) => Promise.resolve(startSkopeo(bench)),
};

function startSkopeo(bench: Bench): ImageClient {
  const { env, fixture } = bench;
  const store = createLayoutStore(bench.scratch, "skopeo");
  const tls = bench.plainHttp ? "=false" : "=true";
  // Of what root has pulled or loaded before, skopeo remembers other compressions, and would push one of those in a layer's stead.
  const copy = (all: readonly string[], from: string, to: string) => {
    const side = to.startsWith("docker://") ? "--dest-tls-verify" : "--src-tls-verify";
    return runProgram(
      [programPath("skopeo"), "copy", "--preserve-digests", ...all, `${side}${tls}`, from, to],
      { env },
    );
  };
  const pull = async (all: readonly string[], reference: string) => {
    const layout = store.fresh();
    const ran = await copy(all, `docker://${reference}`, `oci:${layout}:pulled`);
    return { ran, digest: store.digestIn(layout) };
  };
  return {
    imageDigest: fixture.manifestDigest,
    push: (reference) => copy([], `oci:${fixture.layout}:image`, `docker://${reference}`),
    pull: (reference) => pull([], reference),
    index: {
      digest: fixture.indexDigest,
      push: (reference) => copy(["--all"], `oci:${fixture.layout}:index`, `docker://${reference}`),
      pull: (reference) => pull(["--all"], reference),
    },
  };
}
