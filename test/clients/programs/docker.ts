import { mkdirSync, writeFileSync } from "node:fs";
import { findProgram, programPath } from "../../support/programs.ts";
import { mustRun, runProgram } from "../../support/run-program.ts";
import { until } from "../../support/until.ts";
import { type Bench, type ImageClient, type ImageClientKind, ONE_IMAGE } from "../image-client.ts";

export const docker: ImageClientKind = {
  name: "docker",
  programs: ["docker", "dockerd"],
  start: startDocker,
};

/** A real daemon of our own beside whatever runs here: its folders, its socket, no bridge, no firewall rule. Needs root. */
async function startDocker(bench: Bench): Promise<ImageClient> {
  const { fixture, scratch } = bench;
  const folder = scratch.at("dockerd");
  mkdirSync(folder);
  const socket = `unix://${folder}/sock`;
  const log = Bun.file(`${folder}/log`);
  // The machine's own settings do not rule ours.
  writeFileSync(`${folder}/daemon.json`, "{}");
  const daemon = Bun.spawn(
    [
      programPath("dockerd"),
      `--host=${socket}`,
      `--data-root=${folder}/data`,
      `--exec-root=${folder}/exec`,
      `--pidfile=${folder}/pid`,
      `--config-file=${folder}/daemon.json`,
      "--bridge=none",
      "--iptables=false",
      "--ip6tables=false",
      "--storage-driver=vfs",
    ],
    {
      stdio: ["ignore", log, log],
      env: { PATH: `${process.env.PATH ?? ""}:/usr/sbin:/sbin`, HOME: folder },
    },
  );
  const env = { ...bench.env, DOCKER_HOST: socket };
  const run = (...args: readonly string[]) => runProgram([programPath("docker"), ...args], { env });
  const stop = async (): Promise<void> => {
    daemon.kill();
    await daemon.exited;
    if (findProgram("umount") !== undefined)
      await runProgram(["umount", "-q", `${folder}/exec/netns/default`]);
  };
  try {
    await until("dockerd answers", async () => {
      if (daemon.exitCode !== null) throw new Error(`dockerd did not start: ${await log.text()}`);
      return (await run("version")).code === 0 ? true : undefined;
    });
    await mustRun([programPath("docker"), "load", "--input", fixture.dockerArchive], { env });
  } catch (cause) {
    await stop();
    throw cause;
  }
  const insecure = bench.plainHttp ? ["--insecure"] : [];
  return {
    imageDigest: fixture.configDigest,
    push: async (reference) => {
      await mustRun([programPath("docker"), "tag", "fixture:image", reference], { env });
      return run("push", reference);
    },
    pull: async (reference) => {
      // All names and layers of it go, so that the pull brings every byte again.
      const id = (await run("image", "inspect", "--format={{.Id}}", reference)).out.trim();
      if (id !== "") await run("image", "rm", "--force", id);
      const ran = await run("pull", "--quiet", reference);
      const found = await run("image", "inspect", "--format={{.Id}}", reference);
      if (ran.code === 0) await mustRun([programPath("docker"), "tag", reference, "fixture:image"], { env });
      else await run("load", "--input", fixture.dockerArchive);
      return { ran, digest: found.out.trim() };
    },
    index: {
      push: async (reference) => {
        const image = `${reference}-part`;
        await mustRun([programPath("docker"), "tag", "fixture:image", image], { env });
        const part = await run("push", image);
        if (part.code !== 0) return part;
        await mustRun([programPath("docker"), "manifest", "create", ...insecure, reference, image], { env });
        return run("manifest", "push", "--purge", ...insecure, reference);
      },
      pull: async (reference) => {
        const ran = await run("manifest", "inspect", ...insecure, reference);
        const list =
          ran.code === 0 ? (JSON.parse(ran.out) as { readonly manifests?: readonly unknown[] }) : {};
        return { ran, digest: list.manifests?.length === 1 ? ONE_IMAGE : "" };
      },
    },
    stop,
  };
}
