import type { VaultPassword } from "#ansible";
import { AppError, type Context, Secret } from "#core";
import { readTextLimited } from "#system";
import { readAnsibleSecret } from "./ansible-source.ts";
import type { Login, Surroundings, WharfConfig } from "./contract.ts";
import { readDockerSecret } from "./docker-source.ts";
import { type ExchangedSecret } from "./exchange-answer.ts";
import { readKubernetesSecret } from "./kubernetes-source.ts";
import { readExchanged } from "./read-exchanged.ts";
import { runTrusted } from "./run-trusted.ts";
import { openVault } from "./vault.ts";
import type { VaultContent } from "./vault-file.ts";
import { readVaultPassword, type VaultPasswordWish } from "./vault-password.ts";

/** A token of a cloud provider can be long; more than this is a wrong file. */
const MAX_SECRET_BYTES = 64 * 1024;

/** Gives the secrets of logins. Opens the vault at most once, and only when a login needs it; asks each source once. */
export interface SecretReader {
  /**
   * The secret of a login. Throws SECRET_UNAVAILABLE where its source has none, VAULT_KEY_WRONG, VAULT_TAMPERED; PERMISSION_DENIED
   * for a command that was not trusted.
   */
  read(login: Login): Promise<Secret>;
  /** When the secret ends: by wharf.yaml, or by the provider for an exchanged token; undefined where nobody knows. Throws what `read` throws. */
  readExpires(login: Login): Promise<Date | undefined>;
  /** The open vault; undefined when there is none. */
  vault(): Promise<VaultContent | undefined>;
  /**
   * A password of Ansible Vault; with no source, from the file that ANSIBLE_VAULT_PASSWORD_FILE names, or typed. Asked for once. Throws
   * SECRET_UNAVAILABLE; PERMISSION_DENIED for a file that others may read and for a command that was not trusted.
   */
  ansiblePassword(wish: Partial<VaultPasswordWish>): Promise<VaultPassword>;
}

export function createSecretReader(
  context: Context,
  surroundings: Surroundings,
  config: WharfConfig,
): SecretReader {
  let opened: Promise<VaultContent | undefined> | undefined;
  const vault = (): Promise<VaultContent | undefined> => {
    opened ??= openVault(context, surroundings, config.path);
    return opened;
  };
  const known = new Map<string, Promise<ExchangedSecret>>();
  const passwords = new Map<string, Promise<VaultPassword>>();
  const ansiblePassword: SecretReader["ansiblePassword"] = ({ source, label }) => {
    const wish = { source: source ?? usualSource(surroundings), label };
    const key = JSON.stringify(wish);
    const password = passwords.get(key) ?? readVaultPassword(context, wish, { surroundings, config });
    passwords.set(key, password);
    return password;
  };
  // One question for each login, however many targets it goes to: a command may ask a person.
  const readOnce = (login: Login): Promise<ExchangedSecret> => {
    const before = known.get(login.name);
    if (before !== undefined) return before;
    const from = { surroundings, config, vault, ansiblePassword };
    const { source } = login;
    const secret =
      source.kind === "exchange"
        ? readExchanged(context, login, source, from)
        : readSource(context, { ...login, source }, from).then((one) => ({
            secret: one,
            expires: login.expires,
          }));
    known.set(login.name, secret);
    return secret;
  };
  return {
    vault,
    ansiblePassword,
    read: async (login) => (await readOnce(login)).secret,
    readExpires: async (login) =>
      login.source.kind === "exchange" ? (await readOnce(login)).expires : login.expires,
  };
}

interface SourceInput extends Pick<SecretReader, "vault" | "ansiblePassword"> {
  readonly surroundings: Surroundings;
  readonly config: WharfConfig;
}

/** As Ansible does where its command line names none. */
function usualSource({ env }: Surroundings): VaultPasswordWish["source"] {
  const path = env["ANSIBLE_VAULT_PASSWORD_FILE"];
  return path === undefined || path === "" ? { kind: "prompt" } : { kind: "file", path };
}

/** A login whose secret is the same each time. */
type PlainLogin = Login & { readonly source: Exclude<Login["source"], { kind: "exchange" }> };

async function readSource(context: Context, login: PlainLogin, from: SourceInput): Promise<Secret> {
  const { source } = login;
  switch (source.kind) {
    case "vault":
      return fromVault(login, await from.vault());
    case "env":
      return fromEnvironment(login, source.variable, from.surroundings);
    case "file":
      return await fromFile(login, source.path);
    case "command":
      return await runSecretCommand(context, login, source.argv, from);
    case "docker-config":
      return await readDockerSecret(login, source.path);
    case "kubernetes": {
      const secret = await readKubernetesSecret(context, login, { source, surroundings: from.surroundings });
      return checkSecret(login, secret.reveal(), source.path);
    }
    case "ansible-vault": {
      const wish = {
        label: source.label,
        ...(source.password === undefined ? {} : { source: source.password }),
      };
      const secret = await readAnsibleSecret(login, source, async () => [await from.ansiblePassword(wish)]);
      return checkSecret(login, secret.reveal(), source.path);
    }
  }
}

function fromVault(login: Login, vault: VaultContent | undefined): Secret {
  const sealed = vault?.secrets.get(login.name);
  if (sealed === undefined)
    throw new AppError("SECRET_UNAVAILABLE", `the vault holds no secret for login ${login.name}`, {
      hint: `seal it: \`wharf login ${login.registry} --as ${login.name}\``,
    });
  // Whoever can edit wharf.yaml, but not the vault, must not be able to send a secret elsewhere.
  if (sealed.registry !== login.registry || sealed.username !== login.username)
    throw new AppError(
      "SECRET_UNAVAILABLE",
      `the secret of login ${login.name} was sealed for ${sealed.username} at ${sealed.registry}, and wharf.yaml now says ${login.username} at ${login.registry}`,
      {
        hint: `if you changed it yourself, seal the secret again: \`wharf login ${login.registry} --as ${login.name}\``,
      },
    );
  return sealed.secret;
}

function fromEnvironment(login: Login, variable: string, surroundings: Surroundings): Secret {
  const value = surroundings.env[variable];
  if (value === undefined || value === "")
    throw new AppError(
      "SECRET_UNAVAILABLE",
      `login ${login.name}: the environment variable ${variable} is not set`,
      {
        hint: `export ${variable}, or seal the secret with \`wharf login ${login.registry} --as ${login.name}\``,
      },
    );
  return checkSecret(login, value, variable);
}

async function fromFile(login: Login, path: string): Promise<Secret> {
  const text = await readTextLimited(path, MAX_SECRET_BYTES);
  if (text === undefined)
    throw new AppError("SECRET_UNAVAILABLE", `login ${login.name}: there is no file ${path}`);
  return checkSecret(login, text, path);
}

/** The secret that a trusted command prints. Throws what `runTrusted` throws. */
export async function runSecretCommand(
  context: Context,
  login: Pick<Login, "name">,
  argv: readonly string[],
  from: { readonly surroundings: Surroundings; readonly config: WharfConfig },
): Promise<Secret> {
  return checkSecret(login, await runTrusted(context, login, { argv }, from), argv[0] ?? "");
}

/** Strips exactly one trailing newline (what editors and `echo` add; a second one would be the secret's own). */
export function checkSecret(login: Pick<Login, "name">, text: string, from: string): Secret {
  const secret = text.replace(/\r?\n$/, "");
  if (secret === "")
    throw new AppError("SECRET_UNAVAILABLE", `login ${login.name}: the secret from ${from} is empty`);
  if (secret.includes("\u0000"))
    throw new AppError(
      "SECRET_UNAVAILABLE",
      `login ${login.name}: the secret from ${from} holds a NUL character`,
    );
  return new Secret(secret);
}
