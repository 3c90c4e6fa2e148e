import { programPath } from "../../support/programs.ts";
import { runProgram } from "../../support/run-program.ts";
import type { Bench, ImageClient, ImageClientKind } from "../image-client.ts";
import { createLayoutStore } from "../layout-store.ts";

export const oras: ImageClientKind = {
  name: "oras",
  programs: ["oras"],
  start: (bench) => Promise.resolve(startOras(bench)),
};

function startOras(bench: Bench): ImageClient {
  const { env, fixture } = bench;
  const store = createLayoutStore(bench.scratch, "oras");
  const copy = (...args: readonly string[]) => runProgram([programPath("oras"), "copy", ...args], { env });
  const toPlain = bench.plainHttp ? ["--to-plain-http"] : [];
  const fromPlain = bench.plainHttp ? ["--from-plain-http"] : [];
  const push = (tag: string) => (reference: string) =>
    copy("--from-oci-layout", ...toPlain, `${fixture.layout}:${tag}`, reference);
  const pull = async (reference: string) => {
    const layout = store.fresh();
    const ran = await copy("--to-oci-layout", ...fromPlain, reference, `${layout}:pulled`);
    return { ran, digest: store.digestIn(layout) };
  };
  return {
    imageDigest: fixture.manifestDigest,
    push: push("image"),
    pull,
    index: { digest: fixture.indexDigest, push: push("index"), pull },
  };
}
