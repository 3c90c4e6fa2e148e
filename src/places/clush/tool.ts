import { AppError, type Context } from "#core";
import { findProgram, type ProgramResult, runProgram } from "#system";

/** What ClusterShell and OpenSSH need of the environment; the secrets that sources may keep there stay here. */
const FOR_CLUSH =
  /^(?:PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_[A-Z]+|TMPDIR|VIRTUAL_ENV|PYTHON[A-Z]+|SSH_[A-Z_]+|KRB5[A-Z_]*|XDG_[A-Z_]+|CLUSTERSHELL_[A-Z_]+)$/;

export interface ClushCall {
  readonly argv: readonly [string, ...string[]];
  readonly stdin?: Uint8Array;
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

/**
 * Runs one of ClusterShell's programs, the site's own: found on PATH, with its configuration, groups and topology. Its exit code is a
 * value. Throws NOT_FOUND where it is not installed.
 */
export async function runClush(
  context: Context,
  env: Readonly<Record<string, string | undefined>>,
  { argv: [name, ...args], ...call }: ClushCall,
): Promise<ProgramResult> {
  const program = findProgram(name, env["PATH"]);
  if (program === undefined)
    throw new AppError("NOT_FOUND", `there is no program ${name} here`, {
      hint: "install ClusterShell, or put the folder of its programs on PATH",
    });
  return await runProgram(context, {
    ...call,
    argv: [program, ...args],
    // Nothing is looked for in the caller's folder.
    cwd: "/",
    env: Object.fromEntries(Object.entries(env).filter(([key]) => FOR_CLUSH.test(key))),
    maxErrorBytes: call.maxBytes,
  });
}
