import { isMap, isScalar } from "yaml";
import {
  isTemplate,
  openVars,
  parseVars,
  readRegistryList,
  readValue,
  readVar,
  type Value,
  type Vars,
  type VaultPassword,
} from "#ansible";
import { AppError, isAppError, type Secret } from "#core";
import { parseRegistry } from "#oci";
import { readTextLimited } from "#system";
import type { AnsibleVaultSource, Login, SecretSource } from "./contract.ts";
import { parseVaultPassword } from "./vault-password.ts";
import type { Field, YamlReader } from "./yaml-reader.ts";

const MAX_FILE_BYTES = 16 * 1024 * 1024;
const KEYS = ["file", "key", "name", "vault-id", "vault-password"] as const;

/** `ansible-vault:` of a login: a file, or `{ file, key, name, vault-id, vault-password }`. Throws CONFIG_INVALID. */
export function parseAnsibleSource(
  reader: YamlReader,
  field: Field,
  expand: (written: string) => string,
): SecretSource {
  if (isScalar(field.value)) {
    const path = expand(reader.text(field, "ansible-vault"));
    return {
      kind: "ansible-vault",
      path,
      key: undefined,
      variable: undefined,
      label: undefined,
      password: undefined,
    };
  }
  const fields = reader.knownFields(field.value, "ansible-vault", KEYS);
  const file = fields.get("file");
  if (file === undefined)
    throw reader.fault(field.keyNode, "ansible-vault has no file", "write { file: config/docker-login.yml }");
  const [key, variable, label, password] = (["key", "name", "vault-id", "vault-password"] as const).map(
    (name) => fields.get(name),
  );
  return {
    kind: "ansible-vault",
    path: expand(reader.text(file, "file of ansible-vault")),
    key: key === undefined ? undefined : readKey(reader, key),
    variable: variable === undefined ? undefined : reader.text(variable, "name of ansible-vault"),
    label: label === undefined ? undefined : reader.text(label, "vault-id of ansible-vault"),
    password: password === undefined ? undefined : parseVaultPassword(reader, password, expand),
  };
}

/** `a.b.0` or, where names hold dots, a list. */
function readKey(reader: YamlReader, field: Field): readonly string[] {
  return isScalar(field.value)
    ? reader.text(field, "key of ansible-vault").split(".")
    : reader.texts(field, "key of ansible-vault");
}

/**
 * The secret of a login in an Ansible file, plain or encrypted, whole or value by value: under `key`; else the entry of
 * `docker_login_registries` for its registry and username; else, where the file holds no variables, the text itself. Throws
 * SECRET_UNAVAILABLE, FILE_INVALID.
 */
export async function readAnsibleSecret(
  login: Login,
  source: AnsibleVaultSource,
  passwords: () => Promise<readonly VaultPassword[]>,
): Promise<Secret> {
  const { path } = source;
  const text = await readTextLimited(path, MAX_FILE_BYTES);
  if (text === undefined)
    throw new AppError("SECRET_UNAVAILABLE", `login ${login.name}: there is no file ${path}`);
  // Nobody is asked for a password that nothing needs.
  const open = text.includes("$ANSIBLE_VAULT") ? await passwords() : [];
  const { clear, opened } = openVars(text, open, path);
  const vars = parseBareAware(clear, path, source.key === undefined && opened !== undefined);
  if (vars === undefined) return clear;
  const value =
    source.key === undefined
      ? inList(login, source, vars, open)
      : readValue(vars, readVar(vars, source.key), open);
  if (source.key !== undefined && readVar(vars, source.key) === undefined)
    throw new AppError("SECRET_UNAVAILABLE", `login ${login.name}: ${path} has no ${source.key.join(".")}`, {
      hint: `its variables are ${names(vars)}`,
    });
  if (value?.kind === "text") return value.text;
  if (value === undefined)
    throw new AppError(
      "SECRET_UNAVAILABLE",
      `login ${login.name}: ${path} lists no entry of ${login.username} for ${login.registry}`,
      { hint: `name the value: key: …; the file's variables are ${names(vars)}` },
    );
  throw new AppError(
    "SECRET_UNAVAILABLE",
    `login ${login.name}: ${path}: its password: ${value.why}`,
    value.hint === undefined ? {} : { hint: value.hint },
  );
}

/** undefined: an encrypted file that holds one text and no variables. */
function parseBareAware(clear: Secret, path: string, mayBeBare: boolean): Vars | undefined {
  try {
    return parseVars(clear, path);
  } catch (cause) {
    if (mayBeBare && isAppError(cause, "FILE_INVALID") && !clear.reveal().trim().includes("\n"))
      return undefined;
    throw cause;
  }
}

/** The last entry that is meant for this login: that is the one whose login stays. */
function inList(
  login: Login,
  source: AnsibleVaultSource,
  vars: Vars,
  passwords: readonly VaultPassword[],
): Value | undefined {
  const list = readRegistryList(vars, passwords, source.variable);
  return list?.entries.findLast(
    ({ registry, username }) =>
      isSameRegistry(registry ?? "docker.io", login.registry) &&
      username.kind === "text" &&
      username.text.reveal() === login.username,
  )?.password;
}

function isSameRegistry(written: string, canonical: string): boolean {
  if (isTemplate(written)) return false;
  try {
    return parseRegistry(written).registry === canonical;
  } catch (cause) {
    // An entry of somebody's that names no registry is not this login's.
    if (isAppError(cause)) return false;
    throw cause;
  }
}

function names({ document }: Vars): string {
  const { contents } = document;
  const found = isMap(contents)
    ? contents.items.map(({ key }) => (isScalar(key) ? String(key.value) : ""))
    : [];
  return found.length === 0 ? "none" : found.slice(0, 20).join(", ");
}
