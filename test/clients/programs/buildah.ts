import { programPath } from "../../support/programs.ts";
import { mustRun, runProgram } from "../../support/run-program.ts";
import { type Bench, type ImageClient, type ImageClientKind, ONE_IMAGE } from "../image-client.ts";
import { containersStorage } from "./containers-storage.ts";

export const buildah: ImageClientKind = { name: "buildah", programs: ["buildah"], start: startBuildah };

async function startBuildah(bench: Bench): Promise<ImageClient> {
  const { env, fixture } = bench;
  const storage = containersStorage(bench.scratch, "buildah");
  const program = [programPath("buildah"), ...storage.flags];
  const tls = `--tls-verify=${bench.plainHttp ? "false" : "true"}`;
  const run = (...args: readonly string[]) => runProgram([...program, ...args], { env });
  const must = (...args: readonly string[]) => mustRun([...program, ...args], { env });
  await must("pull", "--quiet", `docker-archive:${fixture.dockerArchive}`);
  // What buildah is for: a layer of its own on top.
  const container = (await must("from", "--pull-never", "localhost/fixture:image")).trim();
  await must("copy", container, fixture.dockerArchive, "/added.tar");
  const built = (await must("commit", "--quiet", "--rm", container, "localhost/built:image")).trim();
  return {
    imageDigest: withAlgorithm(built),
    push: (reference) => run("push", tls, "localhost/built:image", `docker://${reference}`),
    pull: async (reference) => {
      await run("rmi", "--force", reference);
      const ran = await run("pull", "--quiet", tls, reference);
      return { ran, digest: ran.code === 0 ? withAlgorithm(ran.out.trim()) : "" };
    },
    index: {
      push: async (reference) => {
        await run("manifest", "rm", "localhost/made");
        await must("manifest", "create", "localhost/made", "localhost/built:image");
        return run("manifest", "push", "--all", tls, "localhost/made", `docker://${reference}`);
      },
      pull: async (reference) => {
        await run("rmi", "--force", reference);
        const ran = await run("pull", "--quiet", tls, reference);
        return { ran, digest: ran.code === 0 ? ONE_IMAGE : "" };
      },
    },
    stop: () => storage.remove(),
  };
}

function withAlgorithm(id: string): string {
  return id.startsWith("sha256:") ? id : `sha256:${id}`;
}
