import { AppError, type Context } from "#core";
import { runProgram } from "#system";
import type { Login, Surroundings, WharfConfig } from "./contract.ts";
import { areCommandsTrusted } from "./trust-store.ts";

/** A token of a cloud provider can be long; more than this is a wrong program. */
const MAX_OUTPUT_BYTES = 64 * 1024;
const TIMEOUT_MS = 60_000;

/**
 * What a command of wharf.yaml prints. Throws PERMISSION_DENIED where it is not trusted, SECRET_UNAVAILABLE where it fails: what it
 * printed may hold the secret, so only its exit code is told.
 */
export async function runTrusted(
  context: Context,
  login: Pick<Login, "name">,
  run: { readonly argv: readonly string[]; readonly stdin?: string | undefined },
  from: { readonly surroundings: Surroundings; readonly config: WharfConfig },
): Promise<string> {
  const program = run.argv[0] ?? "";
  if (!(await areCommandsTrusted(from.surroundings, from.config)))
    throw new AppError(
      "PERMISSION_DENIED",
      `login ${login.name}: its command was not trusted, or ${from.config.path} changed since`,
      {
        hint: "look at the file, then run `wharf trust`",
      },
    );
  const result = await runProgram(context, {
    argv: run.argv,
    env: from.surroundings.env,
    timeoutMs: TIMEOUT_MS,
    maxBytes: MAX_OUTPUT_BYTES,
    ...(run.stdin === undefined ? {} : { stdin: new TextEncoder().encode(run.stdin) }),
  });
  if (result.exitCode !== 0)
    throw new AppError(
      "SECRET_UNAVAILABLE",
      `login ${login.name}: ${program} ended with exit code ${result.exitCode}`,
      {
        hint: "run it by hand and see",
      },
    );
  return new TextDecoder().decode(result.stdout);
}
