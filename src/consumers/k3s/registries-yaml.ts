import { isMap, isScalar, isSeq } from "yaml";
import { Secret } from "#core";
import { onceForBytes } from "../once-for-bytes.ts";
import type { RegistryAuth } from "../registry-auth.ts";
import { parseYaml, readYamlText } from "../yaml-edit.ts";

export interface RegistryConfig {
  /** undefined: there is no `auth` at all. */
  readonly auth: RegistryAuth | undefined;
  readonly caFile: string | undefined;
  readonly hasTls: boolean;
}

export interface Registries {
  readonly configs: ReadonlyMap<string, RegistryConfig>;
  /** Endpoints by registry, as written. */
  readonly mirrors: ReadonlyMap<string, readonly string[]>;
  /** The first thing of a type that Go's decoder fails at: then nothing is read, and the agent does not start. */
  readonly mistyped: string | undefined;
}

/** `registries.yaml` as `rancher/wharfie` 0.7.1 decodes it (yaml.v2): other keys are passed over. Throws FILE_INVALID. */
export function parseRegistries(text: string, path: string): Registries {
  const root: unknown = parseYaml(text, path).contents;
  const faults: string[] = [];
  const configs = new Map<string, RegistryConfig>();
  for (const [host, node] of members(field(root, "configs"), "configs", faults)) {
    const what = `configs of ${host}`;
    const auth = field(node, "auth");
    const tls = field(node, "tls");
    members(node, what, faults);
    members(auth, `auth in ${what}`, faults);
    members(tls, `tls in ${what}`, faults);
    const text = (name: string): string => textOf(field(auth, name), `${name} in ${what}`, faults);
    const caFile = textOf(field(tls, "ca_file"), `ca_file in ${what}`, faults);
    configs.set(host, {
      auth: isMap(auth)
        ? {
            username: text("username"),
            password: new Secret(text("password")),
            auth: new Secret(text("auth")),
            identityToken: new Secret(text("identity_token")),
          }
        : undefined,
      caFile: caFile === "" ? undefined : caFile,
      hasTls: isMap(tls),
    });
  }
  const mirrors = new Map<string, readonly string[]>();
  for (const [host, node] of members(field(root, "mirrors"), "mirrors", faults)) {
    members(node, `mirrors of ${host}`, faults);
    mirrors.set(host, textsOf(field(node, "endpoint"), `endpoint of ${host}`, faults));
  }
  return { configs, mirrors, mistyped: faults[0] };
}

/** `parseRegistries` for a file's bytes; the same bytes are parsed once. */
export const parseRegistriesBytes: (bytes: Uint8Array, path: string) => Registries = onceForBytes(
  (bytes, path) => parseRegistries(readYamlText(bytes, path), path),
);

function field(node: unknown, name: string): unknown {
  if (!isMap(node)) return undefined;
  return node.items.find((pair) => isScalar(pair.key) && pair.key.value === name)?.value ?? undefined;
}

function members(node: unknown, what: string, faults: string[]): readonly (readonly [string, unknown])[] {
  if (node === undefined || (isScalar(node) && node.value === null)) return [];
  if (!isMap(node)) {
    faults.push(what);
    return [];
  }
  return node.items.map((pair) => [isScalar(pair.key) ? String(pair.key.value) : "", pair.value] as const);
}

function textsOf(node: unknown, what: string, faults: string[]): readonly string[] {
  if (node === undefined || (isScalar(node) && node.value === null)) return [];
  if (isSeq(node)) return node.items.map((item) => textOf(item, what, faults));
  faults.push(what);
  return [];
}

/** Go's yaml.v2 puts a number or a truth into a string as it is written. */
function textOf(node: unknown, what: string, faults: string[]): string {
  if (node === undefined || node === null) return "";
  if (!isScalar(node)) {
    faults.push(what);
    return "";
  }
  if (node.value === null) return "";
  return typeof node.value === "string" ? node.value : (node.source ?? "");
}
