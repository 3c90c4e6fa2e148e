import { isScalar } from "yaml";
import type { VaultPassword } from "#ansible";
import { AppError, type Context, Secret } from "#core";
import { fileMode, readTextLimited, runProgram } from "#system";
import type { Surroundings, VaultPasswordSource, WharfConfig } from "./contract.ts";
import { areCommandsTrusted } from "./trust-store.ts";
import type { Field, YamlReader } from "./yaml-reader.ts";

const MAX_PASSWORD_BYTES = 64 * 1024;
const COMMAND_TIMEOUT_MS = 60_000;
const KEYS = ["file", "command", "prompt"] as const;

/** `vault-password:` of wharf.yaml: `{ file: F }`, `{ command: [P, …] }` or `{ prompt: true }`. Throws CONFIG_INVALID. */
export function parseVaultPassword(
  reader: YamlReader,
  field: Field,
  expand: (written: string) => string,
): VaultPasswordSource {
  if (isScalar(field.value))
    throw reader.fault(
      field.keyNode,
      "vault-password says where the password comes from, and is never the password",
      "write { file: ~/.vault-password }, { command: [pass, show, vault] } or { prompt: true }",
    );
  const [source, ...more] = reader.knownFields(field.value, "vault-password", KEYS).values();
  if (source === undefined || more.length > 0)
    throw reader.fault(field.keyNode, "vault-password must name one source", `one of ${KEYS.join(", ")}`);
  if (source.key === "file")
    return { kind: "file", path: expand(reader.text(source, "file of vault-password")) };
  if (source.key === "prompt") {
    if (!reader.flag(source, "prompt of vault-password"))
      throw reader.fault(source.value, "prompt is true, or is left out");
    return { kind: "prompt" };
  }
  const argv = isScalar(source.value) ? [] : reader.texts(source, "command of vault-password");
  if (argv.length === 0)
    throw reader.fault(
      source.value ?? source.keyNode,
      "command of vault-password must be a list: the program, then its arguments",
      "no shell reads it; write [pass, show, vault]",
    );
  return { kind: "command", argv };
}

/** As `parseVaultPassword` reads it. */
export function renderVaultPassword(source: VaultPasswordSource): Readonly<Record<string, unknown>> {
  switch (source.kind) {
    case "file":
      return { file: source.path };
    case "command":
      return { command: source.argv };
    case "prompt":
      return { prompt: true };
  }
}

/** As it stands in the options of a delivery, and in the state. */
export function isVaultPasswordSource(value: unknown): value is VaultPasswordSource {
  if (typeof value !== "object" || value === null || !("kind" in value)) return false;
  switch (value.kind) {
    case "prompt":
      return true;
    case "file":
      return "path" in value && typeof value.path === "string";
    case "command":
      return (
        "argv" in value && Array.isArray(value.argv) && value.argv.every((word) => typeof word === "string")
      );
    default:
      return false;
  }
}

/** One password of Ansible Vault that is wanted, with its vault-id. */
export interface VaultPasswordWish {
  readonly source: VaultPasswordSource;
  readonly label: string | undefined;
}

/**
 * The password. Of a file it is the text without white space around it, of a command what it prints without its line break, as Ansible
 * takes them. Throws SECRET_UNAVAILABLE; PERMISSION_DENIED for a file that others may read and for a command that was not trusted.
 */
export async function readVaultPassword(
  context: Context,
  { source, label }: VaultPasswordWish,
  from: { readonly surroundings: Surroundings; readonly config: WharfConfig },
): Promise<VaultPassword> {
  const text = await readSource(context, source, { ...from, label });
  if (text === "") throw new AppError("SECRET_UNAVAILABLE", "the password of Ansible Vault is empty");
  return { label, password: new Secret(text) };
}

async function readSource(
  context: Context,
  source: VaultPasswordSource,
  from: {
    readonly surroundings: Surroundings;
    readonly config: WharfConfig;
    readonly label: string | undefined;
  },
): Promise<string> {
  switch (source.kind) {
    case "file":
      return (await readPasswordFile(source.path)).trim();
    case "command":
      return await runPasswordCommand(context, source.argv, from);
    case "prompt": {
      const { askPassphrase } = from.surroundings;
      if (askPassphrase === undefined)
        throw new AppError(
          "SECRET_UNAVAILABLE",
          "the password of Ansible Vault is to be typed, and nobody can be asked",
          {
            hint: "give it by vault-password: { file: … } where no terminal is",
          },
        );
      const name = from.label === undefined ? "" : ` (${from.label})`;
      return (await askPassphrase(`Password of Ansible Vault${name}: `)).reveal();
    }
  }
}

async function readPasswordFile(path: string): Promise<string> {
  const mode = await fileMode(path);
  if (mode === undefined)
    throw new AppError("SECRET_UNAVAILABLE", `there is no file ${path} with the password of Ansible Vault`);
  if ((mode & 0o111) !== 0)
    throw new AppError(
      "PERMISSION_DENIED",
      `${path} is a program, and only a command that was trusted is run`,
      {
        hint: `write vault-password: { command: [${path}] }, then run \`wharf trust\``,
      },
    );
  if ((mode & 0o077) !== 0)
    throw new AppError(
      "PERMISSION_DENIED",
      `${path} holds the password of Ansible Vault, and others may read it`,
      {
        hint: `chmod 600 ${path}`,
      },
    );
  return (await readTextLimited(path, MAX_PASSWORD_BYTES)) ?? "";
}

async function runPasswordCommand(
  context: Context,
  argv: readonly string[],
  from: { readonly surroundings: Surroundings; readonly config: WharfConfig },
): Promise<string> {
  const program = argv[0] ?? "";
  if (!(await areCommandsTrusted(from.surroundings, from.config)))
    throw new AppError(
      "PERMISSION_DENIED",
      `the command of vault-password was not trusted, or ${from.config.path} changed since`,
      { hint: "look at the file, then run `wharf trust`" },
    );
  const result = await runProgram(context, {
    argv,
    env: from.surroundings.env,
    timeoutMs: COMMAND_TIMEOUT_MS,
    maxBytes: MAX_PASSWORD_BYTES,
  });
  if (result.exitCode !== 0)
    throw new AppError("SECRET_UNAVAILABLE", `${program} ended with exit code ${result.exitCode}`, {
      hint: "run it by hand and see",
    });
  return new TextDecoder().decode(result.stdout).replace(/[\r\n]+$/, "");
}
