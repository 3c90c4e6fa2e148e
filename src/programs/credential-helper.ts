import { AppError, toAppError, version } from "#core";
import { areCommandsTrusted, createSecretReader, type Login, type WharfConfig } from "#logins";
import type { ProgramCall } from "./contract.ts";
import { hostLogins, readProgramConfig } from "./program-config.ts";
import { parseServerAddress, serverAddress } from "./server-address.ts";
import {
  type HelperCredentials,
  parseCredentials,
  storeCredentials,
  TOKEN_USERNAME,
} from "./store-credentials.ts";

export const helperActions = ["get", "list", "store", "erase", "version"] as const;
export type HelperAction = (typeof helperActions)[number];

/** The protocol's own limit: one line of 64 KiB (docker-credential-helpers reads with a bufio.Scanner). */
const MAX_INPUT_BYTES = 64 * 1024;
/** Clients compare these texts (docker-credential-helpers, credentials/error.go). */
const NOT_FOUND = "credentials not found in native keychain";
const NO_SERVER = "no credentials server URL";
/**
 * Answers one request of the docker-credential-helpers protocol: gives what goes to standard output. Only logins of wharf.yaml that are
 * for all of a registry are answered, sign-ins never. Throws AppError; LOGIN_UNKNOWN with the protocol's own text where there is none.
 */
export async function answerCredentialHelper(call: ProgramCall, action: HelperAction): Promise<string> {
  switch (action) {
    case "get":
      return await get(call);
    case "list":
      return `${JSON.stringify(await list(call))}\n`;
    case "store":
      await storeCredentials(call, parseCredentials(await readInput(call)));
      return "";
    case "erase":
      await erase(call);
      return "";
    case "version":
      return `docker-credential-wharf (wharfinger) ${version}\n`;
  }
}

/** What a failure says on standard output, where the protocol has errors. One line: clients put it into a sentence of theirs. */
export function renderHelperError(cause: unknown): string {
  const error = toAppError(cause);
  const text = error.hint === undefined ? error.message : `${error.message} (${error.hint})`;
  return `${text.replaceAll(/\s+/g, " ")}\n`;
}

async function get(call: ProgramCall): Promise<string> {
  const address = await readAddress(call);
  const { config, login } = await find(call, address);
  if (config === undefined || login === undefined) throw new AppError("LOGIN_UNKNOWN", NOT_FOUND);
  const secret = await createSecretReader(call.context, call.surroundings, config).read(login);
  if (login.expires !== undefined && login.expires.getTime() <= Date.now())
    // The registry knows better than the date that somebody wrote: it is told, not kept back.
    call.note(`login ${login.name} ended on ${login.expires.toISOString().slice(0, 10)}, by wharf.yaml`);
  const answer: HelperCredentials = {
    ServerURL: address,
    Username: login.identityToken ? TOKEN_USERNAME : login.username,
    Secret: secret.reveal(),
  };
  return `${JSON.stringify(answer)}\n`;
}

/** Only what `get` would answer: docker asks for each of them before a build, and one failure ends it. No vault is opened. */
async function list(call: ProgramCall): Promise<Readonly<Record<string, string>>> {
  const config = await readProgramConfig(call.surroundings);
  if (config === undefined) return {};
  const found: [string, string][] = [];
  let trusted: boolean | undefined;
  for (const [registry, [login, ...rivals]] of hostLogins(config)) {
    if (login === undefined || rivals.length > 0) continue;
    if (login.source.kind === "command" || login.source.kind === "exchange") {
      trusted ??= await areCommandsTrusted(call.surroundings, config);
      if (!trusted) continue;
    }
    found.push([serverAddress(registry), login.identityToken ? TOKEN_USERNAME : login.username]);
  }
  return Object.fromEntries(found);
}

/** `docker logout` takes nothing from the vault, and must not look as if it had. */
async function erase(call: ProgramCall): Promise<void> {
  const { login } = await find(call, await readAddress(call));
  if (login === undefined) return;
  // docker logout tries three spellings, and keeps what the helper said to itself where one of them succeeds: this reaches the person.
  call.note(`login ${login.name} stays in wharf's vault; to delete it: wharf logout ${login.name}`);
  throw new AppError("PERMISSION_DENIED", `login ${login.name} stays in wharf's vault`, {
    hint: `to delete it: wharf logout ${login.name}`,
  });
}

async function find(
  call: ProgramCall,
  address: string,
): Promise<{ readonly config: WharfConfig | undefined; readonly login: Login | undefined }> {
  const registry = parseServerAddress(address);
  const config = registry === undefined ? undefined : await readProgramConfig(call.surroundings);
  if (registry === undefined || config === undefined) return { config, login: undefined };
  const [login, ...rivals] = hostLogins(config).get(registry) ?? [];
  if (login !== undefined && rivals.length > 0) {
    const names = [login, ...rivals].map(({ name }) => name).join(", ");
    throw new AppError("LOGINS_COLLIDE", `logins ${names} are all for ${registry}`, {
      hint: "name one of them in a delivery { to: docker, at: local, helper: wharf, logins: [NAME] }",
    });
  }
  return { config, login };
}

async function readAddress(call: ProgramCall): Promise<string> {
  const address = (await readInput(call)).trim();
  if (address === "") throw new AppError("INVALID_INPUT", NO_SERVER);
  return address;
}

/** Line ends are dropped, as the protocol's scanner does. */
async function readInput(call: ProgramCall): Promise<string> {
  return new TextDecoder().decode(await call.readInput(MAX_INPUT_BYTES)).replaceAll(/\r?\n/g, "");
}
