import type { Context } from "#core";
import { runProgram } from "./run-program.ts";

/**
 * What `program --version` prints first that looks like a version ("28.2.2"); undefined when the program is not on `path` or prints none.
 * Throws PROGRAM_FAILED when it takes longer than five seconds, INTERRUPTED.
 */
export async function readProgramVersion(
  context: Context,
  program: string,
  path: string,
): Promise<string | undefined> {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(program)) return undefined;
  const found = Bun.which(program, { PATH: path });
  if (found === null) return undefined;
  const { stdout } = await runProgram(context, {
    argv: [found, "--version"],
    env: { PATH: path, LC_ALL: "C" },
    timeoutMs: 5_000,
    maxBytes: 64 * 1024,
  });
  return /\d+\.\d+(?:\.\d+)?(?:[-+~][0-9A-Za-z.+~-]+)?/.exec(new TextDecoder().decode(stdout))?.[0];
}
