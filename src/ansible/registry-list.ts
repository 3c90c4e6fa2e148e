import { isMap, isScalar, isSeq, type YAMLMap } from "yaml";
import { AppError } from "#core";
import type { VaultPassword } from "./seal.ts";
import { isTemplate, readValue, readVar, type Value, type Vars } from "./vars-file.ts";

/** The variable of DeepOps' role `docker-login`. */
export const REGISTRY_LIST = "docker_login_registries";

const MAX_ENTRIES = 10_000;

/** One entry of the list, as the role gives it to `docker_login`. */
export interface ListedRegistry {
  readonly node: YAMLMap;
  /** As written; undefined: the entry names none, and the module takes Hub (`https://index.docker.io/v1/`). */
  readonly registry: string | undefined;
  readonly username: Value;
  readonly password: Value;
  /** In the clear text, from 1. */
  readonly line: number;
}

export interface RegistryList {
  readonly entries: readonly ListedRegistry[];
  /** What makes the play fail, in words; undefined: nothing. */
  readonly broken: string | undefined;
}

/**
 * DeepOps' list of registries with their logins (roles/docker-login). undefined: the file has no such variable. Throws FILE_INVALID where
 * it is something else than a list. `name` is the variable's name where a site has its own.
 */
export function readRegistryList(
  vars: Vars,
  passwords: readonly VaultPassword[],
  name: string = REGISTRY_LIST,
): RegistryList | undefined {
  const node = readVar(vars, [name]);
  if (node === undefined) return undefined;
  if (isScalar(node) && node.value === null) return { entries: [], broken: `${name} is empty: write []` };
  if (!isSeq(node)) {
    const isReference = isScalar(node) && typeof node.value === "string" && isTemplate(node.value);
    throw new AppError(
      "FILE_INVALID",
      `${vars.where}: ${name} is ${isReference ? "a template" : "no list"}`,
      {
        hint: isReference
          ? "name the file with the list itself, and the list's variable with name:"
          : "it is a list of entries with registry, username and password",
      },
    );
  }
  if (node.items.length > MAX_ENTRIES)
    throw new AppError("TOO_LARGE", `${vars.where}: ${name} has more than ${MAX_ENTRIES} entries`);
  const entries: ListedRegistry[] = [];
  let broken: string | undefined;
  for (const [index, item] of node.items.entries()) {
    const entry = isMap(item) ? readEntry(vars, item, passwords) : undefined;
    if (entry === undefined) broken ??= `entry ${index + 1} of ${name} has no username and password`;
    else entries.push(entry);
  }
  return { entries, broken };
}

function readEntry(
  vars: Vars,
  node: YAMLMap,
  passwords: readonly VaultPassword[],
): ListedRegistry | undefined {
  const value = (key: string): unknown =>
    node.items.find((pair) => isScalar(pair.key) && pair.key.value === key)?.value ?? undefined;
  if (value("username") === undefined || value("password") === undefined) return undefined;
  const registry = value("registry");
  const written = registry === undefined ? undefined : readValue(vars, registry, passwords);
  if (written?.kind === "unknown") return undefined;
  return {
    node,
    registry: written?.text.reveal(),
    username: readValue(vars, value("username"), passwords),
    password: readValue(vars, value("password"), passwords),
    line: vars.line(node.range?.[0] ?? 0),
  };
}
