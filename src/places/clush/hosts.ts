import { AppError, type Context } from "#core";
import { runClush } from "./tool.ts";

const TIMEOUT_MS = 60_000;
const MAX_BYTES = 4 * 1024 * 1024;
/** As a list of hosts in wharf.yaml. */
const MAX_HOSTS = 16_384;

/**
 * The nodes of a node set or group (`gpu[01-64]`, `@gpu`, `@*`), as the site's own `nodeset` expands it. Throws NOT_FOUND where it has none,
 * PROGRAM_FAILED where a group or its source is not known.
 */
export async function readClushHosts(
  context: Context,
  env: Readonly<Record<string, string | undefined>>,
  nodes: string,
): Promise<readonly string[]> {
  const { exitCode, stdout, stderr } = await runClush(context, env, {
    argv: ["nodeset", "-e", "-S", " ", "--", nodes],
    timeoutMs: TIMEOUT_MS,
    maxBytes: MAX_BYTES,
  });
  if (exitCode !== 0)
    throw new AppError(
      "PROGRAM_FAILED",
      `nodeset: ${stderr.trim().split("\n").at(-1)?.slice(0, 300) ?? ""}`,
      {
        hint: "`nodeset -ll` shows the groups; nothing is changed meanwhile at hosts that it names",
      },
    );
  const hosts = [...new Set(new TextDecoder().decode(stdout).split(/\s+/).filter(Boolean))];
  if (hosts.length === 0)
    throw new AppError("NOT_FOUND", `ClusterShell has no nodes in ${JSON.stringify(nodes.slice(0, 60))}`, {
      hint: "`nodeset -ll` shows the groups",
    });
  if (hosts.length > MAX_HOSTS) throw new AppError("TOO_LARGE", `${nodes} has more than ${MAX_HOSTS} hosts`);
  const odd = hosts.find((name) => !/^[A-Za-z0-9_][A-Za-z0-9._-]{0,252}$/.test(name));
  if (odd !== undefined)
    throw new AppError("INVALID_INPUT", `${JSON.stringify(odd.slice(0, 60))} is not a host's name`);
  return hosts;
}
