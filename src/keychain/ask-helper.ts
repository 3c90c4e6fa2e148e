import { AppError, type Context, Secret } from "#core";
import { DOCKER_HUB } from "#oci";
import { type ProgramResult, runProgram } from "#system";
import { ANONYMOUS, type KeychainLogin } from "./contract.ts";

/** Docker's own name of Docker Hub, which helpers keep its login under. */
const HUB_SERVER = "https://index.docker.io/v1/";
/** What helpers answer where a secret is an identity token (docker-credential-helpers, "Development"). */
const TOKEN_USERNAME = "<token>";
const TIMEOUT_MS = 30_000;
const MAX_ANSWER_BYTES = 256 * 1024;

/**
 * Asks a credential helper (`docker-credential-NAME get`) for the login of a registry, as docker would. ANONYMOUS where it has none. Throws
 * PROGRAM_FAILED, NOT_FOUND for no such program, INVALID_INPUT for a name that is none.
 */
export async function askHelper(
  context: Context,
  helper: { readonly name: string; readonly env: Readonly<Record<string, string | undefined>> },
  registry: string,
): Promise<KeychainLogin | typeof ANONYMOUS> {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(helper.name))
    throw new AppError("INVALID_INPUT", "the name of a credential helper is not one");
  const program = `docker-credential-${helper.name}`;
  const result = await runProgram(context, {
    argv: [program, "get"],
    env: helper.env,
    stdin: Buffer.from(registry === DOCKER_HUB ? HUB_SERVER : registry),
    timeoutMs: TIMEOUT_MS,
    maxBytes: MAX_ANSWER_BYTES,
  });
  return parseAnswer(result, program);
}

function parseAnswer({ exitCode, stdout }: ProgramResult, program: string): KeychainLogin | typeof ANONYMOUS {
  const text = new TextDecoder().decode(stdout);
  if (exitCode !== 0) {
    // The one sentence that the protocol has for it, on standard output.
    if (text.trim() === "credentials not found in native keychain") return ANONYMOUS;
    throw new AppError("PROGRAM_FAILED", `${program} ended with ${exitCode}`, { details: { exitCode } });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The text may hold the secret: it is nowhere in the error.
    throw new AppError("PROGRAM_FAILED", `${program} answered what is not JSON`);
  }
  const { Username, Secret: secret } = (value ?? {}) as Record<string, unknown>;
  if (typeof Username !== "string" || typeof secret !== "string")
    throw new AppError("PROGRAM_FAILED", `${program} answered without a login`);
  if (secret === "") return ANONYMOUS;
  return {
    username: Username,
    secret: new Secret(secret),
    identityToken: Username === TOKEN_USERNAME,
    from: program,
  };
}
