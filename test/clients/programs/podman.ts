import { programPath } from "../../support/programs.ts";
import { mustRun, runProgram } from "../../support/run-program.ts";
import { type Bench, type ImageClient, type ImageClientKind, ONE_IMAGE } from "../image-client.ts";
import { containersStorage } from "./containers-storage.ts";

export const podman: ImageClientKind = { name: "podman", programs: ["podman"], start: startPodman };

async function startPodman(bench: Bench): Promise<ImageClient> {
  const { env, fixture } = bench;
  const storage = containersStorage(bench.scratch, "podman");
  const program = [programPath("podman"), ...storage.flags, "--cgroup-manager=cgroupfs"];
  const tls = `--tls-verify=${bench.plainHttp ? "false" : "true"}`;
  const run = (...args: readonly string[]) => runProgram([...program, ...args], { env });
  await mustRun([...program, "load", "-i", fixture.dockerArchive], { env });
  return {
    imageDigest: fixture.configDigest,
    push: (reference) => run("push", tls, "localhost/fixture:image", `docker://${reference}`),
    pull: async (reference) => {
      await run("rmi", "--force", reference);
      const ran = await run("pull", "--quiet", tls, reference);
      return { ran, digest: ran.code === 0 ? `sha256:${ran.out.trim()}` : "" };
    },
    index: {
      push: async (reference) => {
        await run("manifest", "rm", "localhost/made");
        await mustRun([...program, "manifest", "create", "localhost/made"], { env });
        await mustRun(
          [...program, "manifest", "add", "localhost/made", "containers-storage:localhost/fixture:image"],
          {
            env,
          },
        );
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
