import { programPath } from "../../support/programs.ts";
import { mustRun, runProgram } from "../../support/run-program.ts";
import type { Bench, ImageClient, ImageClientKind } from "../image-client.ts";
import { createLayoutStore } from "../layout-store.ts";

export const regctl: ImageClientKind = {
  name: "regctl",
  programs: ["regctl"],
  start: (bench) => Promise.resolve(startRegctl(bench)),
};

function startRegctl(bench: Bench): ImageClient {
  const { env, fixture } = bench;
  const store = createLayoutStore(bench.scratch, "regctl");
  const copy = async (from: string, to: string) => {
    if (bench.plainHttp) {
      const host = [from, to].find((side) => !side.startsWith("ocidir://"))?.split("/")[0] ?? "";
      // It writes its own file beside the one with the login; --skip-check: no credentials are tried here.
      await mustRun([programPath("regctl"), "registry", "set", "--skip-check", "--tls", "disabled", host], {
        env,
      });
    }
    return runProgram([programPath("regctl"), "image", "copy", from, to], { env });
  };
  const push = (tag: string) => (reference: string) => copy(`ocidir://${fixture.layout}:${tag}`, reference);
  const pull = async (reference: string) => {
    const layout = store.fresh();
    const ran = await copy(reference, `ocidir://${layout}:pulled`);
    return { ran, digest: store.digestIn(layout) };
  };
  return {
    imageDigest: fixture.manifestDigest,
    push: push("image"),
    pull,
    index: { digest: fixture.indexDigest, push: push("index"), pull },
  };
}
