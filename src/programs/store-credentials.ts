import { AppError, Secret } from "#core";
import { type Login, proposeName, saveLogin } from "#logins";
import type { ProgramCall } from "./contract.ts";
import { programConfigPath, readProgramConfig } from "./program-config.ts";
import { parseServerAddress } from "./server-address.ts";

/** The protocol's one JSON form. */
export interface HelperCredentials {
  readonly ServerURL: string;
  readonly Username: string;
  readonly Secret: string;
}

/** Stands for the username where the secret is an identity token. */
export const TOKEN_USERNAME = "<token>";

/** What `store` is given. Throws INVALID_INPUT, with the protocol's texts where it has some; never repeats the input. */
export function parseCredentials(text: string): HelperCredentials {
  const value = readJson(text);
  const field = (name: keyof HelperCredentials): string => {
    const found = value[name];
    if (found === undefined || typeof found === "string") return found ?? "";
    throw new AppError("INVALID_INPUT", `${name} is no text`);
  };
  const credentials = {
    ServerURL: field("ServerURL").trim(),
    Username: field("Username"),
    Secret: field("Secret"),
  };
  if (credentials.ServerURL === "") throw new AppError("INVALID_INPUT", "no credentials server URL");
  if (credentials.Username === "") throw new AppError("INVALID_INPUT", "no credentials username");
  if (credentials.Secret === "") throw new AppError("INVALID_INPUT", "the secret is empty");
  if (credentials.Secret.includes("\0"))
    throw new AppError("INVALID_INPUT", "the secret holds a NUL character");
  return credentials;
}

/**
 * `docker login`: seals the secret in the vault, as the login that is there for this registry and account, else as a new one. docker has
 * proved it already. Throws what `saveLogin` throws; ALREADY_EXISTS where the registry's login is another account's or takes its secret
 * from elsewhere: what is delivered to a whole cluster is not exchanged in passing.
 */
export async function storeCredentials(call: ProgramCall, credentials: HelperCredentials): Promise<void> {
  const { context, surroundings } = call;
  const registry = parseServerAddress(credentials.ServerURL);
  if (registry === undefined)
    throw new AppError("INVALID_INPUT", "wharf's helper keeps logins for whole registries alone", {
      hint: "for Docker Hub give docker login the account with -u; for a path use wharf login REGISTRY/PATH",
    });
  const config = await readProgramConfig(surroundings);
  const logins = [...(config?.logins.values() ?? [])];
  const present = logins.filter((login) => login.registry === registry && login.path === undefined);
  const identityToken = credentials.Username === TOKEN_USERNAME;
  const known = present.find((login) =>
    identityToken ? login.identityToken : login.username === credentials.Username,
  );
  if (known === undefined && present[0] !== undefined) throw anotherAccount(present[0]);
  if (known !== undefined && known.source.kind !== "vault")
    throw new AppError("ALREADY_EXISTS", `login ${known.name} takes its secret from ${known.source.kind}:`, {
      hint: `change it there, or seal the secret: wharf login ${registry} --as ${known.name}`,
    });
  const saved = await saveLogin(context, surroundings, programConfigPath(surroundings), {
    name: known?.name ?? proposeName(registry, undefined, new Set(config?.logins.keys())),
    registry,
    username: known?.username ?? credentials.Username,
    secret: new Secret(credentials.Secret),
    ...(identityToken === (known?.identityToken ?? false) ? {} : { identityToken }),
  });
  if (saved.madeKeyFile !== undefined)
    call.note(`made the vault's key ${saved.madeKeyFile}; keep a copy: wharf vault backup-key FILE`);
}

function anotherAccount(login: Login): AppError {
  return new AppError(
    "ALREADY_EXISTS",
    `login ${login.name} is for ${login.registry} already, as ${login.username}`,
    { hint: `to change its account everywhere: wharf login ${login.registry} --as ${login.name} -u NAME` },
  );
}

function readJson(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's words quote what it read, which holds a secret.
    throw new AppError("INVALID_INPUT", "standard input is not JSON");
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new AppError("INVALID_INPUT", "standard input is no JSON object");
}
