import { AppError, type Context } from "#core";
import { findProgram, runProgram } from "#system";

const TIMEOUT_MS = 30_000;
const MAX_BYTES = 4 * 1024 * 1024;

/**
 * Names of the nodes of a Slurm partition (`all`: of every one), as the site's own `sinfo` knows them, those that are down too. Throws
 * NOT_FOUND where there is no such partition or no sinfo, PROGRAM_FAILED where the controller does not answer.
 */
export async function readSlurmHosts(
  context: Context,
  env: Readonly<Record<string, string | undefined>>,
  partition: string,
): Promise<readonly string[]> {
  const program = findProgram("sinfo", env["PATH"]);
  if (program === undefined)
    throw new AppError("NOT_FOUND", "there is no program sinfo here", {
      hint: "run wharf on a login node of the cluster, or write the hosts: ssh://gpu[01-64]",
    });
  const which = partition === "all" ? ["--all"] : [`--partition=${partition}`];
  const { exitCode, stdout, stderr } = await runProgram(context, {
    argv: [program, "--noheader", "--Node", "--format=%N", ...which],
    // Where Slurm's configuration is, and nothing that sources may keep in the environment.
    env: Object.fromEntries(
      Object.entries(env).filter(([name]) =>
        /^(?:PATH|HOME|USER|LANG|SLURM_CONF|SLURM_CLUSTERS)$/.test(name),
      ),
    ),
    timeoutMs: TIMEOUT_MS,
    maxBytes: MAX_BYTES,
  });
  if (exitCode !== 0)
    throw new AppError("PROGRAM_FAILED", `sinfo: ${stderr.trim().split("\n").at(-1)?.slice(0, 300) ?? ""}`, {
      hint: "does sinfo answer by hand? nothing is changed meanwhile at hosts that it names",
    });
  const hosts = new Set(
    new TextDecoder()
      .decode(stdout)
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== ""),
  );
  if (hosts.size === 0)
    throw new AppError("NOT_FOUND", `Slurm has no nodes in the partition ${JSON.stringify(partition)}`, {
      hint: "sinfo --summarize lists the partitions",
    });
  return [...hosts];
}
