import { Secret } from "#core";
import { onceForBytes } from "../once-for-bytes.ts";
import type { RegistryAuth } from "../registry-auth.ts";
import { parseTomlText, readTomlText, type TomlTable, type TomlValue } from "../toml-text.ts";

/** Fields of an `auth` table that log in; others are somebody else's. */
export const AUTH_FIELDS = ["username", "password", "auth", "identitytoken"] as const;

/** One file of containerd's configuration. */
export interface ContainerdFile {
  /** As containerd counts: 1 where none is written. */
  readonly version: number;
  readonly imports: readonly string[];
  readonly table: TomlTable;
  /** `disabled_plugins` takes away what pulls for Kubernetes, as in the file that Docker's packages bring. */
  readonly isDisabled: boolean;
  /** Why containerd does not start with it. */
  readonly fault: string | undefined;
}

/** What of the CRI plugin's `registry` table decides which login is sent. */
export interface RegistryTable {
  /** By the host that is contacted. "mistyped": a field of a type that containerd cannot read. */
  readonly auths: ReadonlyMap<string, RegistryAuth | "mistyped">;
  /** Hosts whose `configs` has a `tls` table. */
  readonly withTls: ReadonlySet<string>;
  /** Endpoints by registry. */
  readonly mirrors: ReadonlyMap<string, readonly string[]>;
  readonly configPath: string;
  /** Keys of the old `auths` table, which takes the place of `configs` for its hosts. */
  readonly legacy: ReadonlySet<string>;
}

/** Throws FILE_INVALID for what is not TOML; the same bytes are parsed once. */
export const parseContainerdFile: (bytes: Uint8Array, path: string) => ContainerdFile = onceForBytes(
  (bytes, path) => parseContainerdText(readTomlText(bytes, path), path),
);

/** As `parseContainerdFile`. */
export function parseContainerdText(text: string, path: string): ContainerdFile {
  return readContainerdTable(parseTomlText(text, path));
}

export function readContainerdTable(table: TomlTable): ContainerdFile {
  const written = table.get("version");
  const version = isNumber(written) ? Number(written.source) : 0;
  const imports = table.get("imports");
  const fault =
    (written !== undefined && !isNumber(written)) || !Number.isInteger(version)
      ? "its version is no number"
      : undefined;
  const disabled = table.get("disabled_plugins");
  return {
    version: Math.max(1, version),
    isDisabled: Array.isArray(disabled) && [1, 2, 3].some((one) => disabled.includes(pluginName(one))),
    imports: Array.isArray(imports) ? imports.filter((item) => typeof item === "string") : [],
    table,
    fault,
  };
}

/** The name of the plugin that pulls images, in a file of that version. */
export function pluginName(version: number): string {
  if (version <= 1) return "cri";
  return version === 2 ? "io.containerd.grpc.v1.cri" : "io.containerd.cri.v1.images";
}

/** The table of that plugin in a file; undefined where it has none. */
export function pluginTable(file: ContainerdFile, name: string): TomlTable | undefined {
  return tableOf(tableOf(file.table.get("plugins"))?.get(name));
}

/** Reads `registry` of a plugin's table as the plugin decodes it; `auths` already put over `configs`. */
export function readRegistryTable(plugin: TomlTable | undefined): RegistryTable {
  const registry = tableOf(fieldOf(plugin, "registry"));
  const auths = new Map<string, RegistryAuth | "mistyped">();
  const withTls = new Set<string>();
  for (const [host, config] of tableOf(fieldOf(registry, "configs")) ?? []) {
    const auth = fieldOf(tableOf(config), "auth");
    if (auth !== undefined) auths.set(host, authOf(auth));
    if (fieldOf(tableOf(config), "tls") !== undefined) withTls.add(host);
  }
  const legacy = new Set<string>();
  for (const [endpoint, auth] of tableOf(fieldOf(registry, "auths")) ?? []) {
    const host = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(endpoint)?.[1] ?? endpoint;
    legacy.add(host);
    auths.set(host, authOf(auth));
  }
  const mirrors = new Map<string, readonly string[]>();
  for (const [host, mirror] of tableOf(fieldOf(registry, "mirrors")) ?? []) {
    const endpoints = fieldOf(tableOf(mirror), "endpoint");
    mirrors.set(
      host,
      Array.isArray(endpoints)
        ? endpoints.filter((item: TomlValue): item is string => typeof item === "string")
        : [],
    );
  }
  const configPath = fieldOf(registry, "config_path");
  return { auths, withTls, mirrors, configPath: typeof configPath === "string" ? configPath : "", legacy };
}

export function tableOf(value: TomlValue | undefined): TomlTable | undefined {
  return value instanceof Map ? (value as TomlTable) : undefined;
}

/** An `auth` table as containerd decodes it. */
export function authOf(value: TomlValue): RegistryAuth | "mistyped" {
  const table = tableOf(value);
  if (table === undefined) return "mistyped";
  const fields = AUTH_FIELDS.map((name) => fieldOf(table, name) ?? "");
  const [username, password, auth, identityToken] = fields;
  if (
    typeof username !== "string" ||
    typeof password !== "string" ||
    typeof auth !== "string" ||
    typeof identityToken !== "string"
  )
    return "mistyped";
  return {
    username,
    password: new Secret(password),
    auth: new Secret(auth),
    identityToken: new Secret(identityToken),
  };
}

/** go-toml finds a field of a struct without regard to upper and lower case, the exact name first. */
function fieldOf(table: TomlTable | undefined, name: string): TomlValue | undefined {
  if (table === undefined) return undefined;
  const exact = table.get(name);
  if (exact !== undefined) return exact;
  for (const [key, value] of table) if (key.toLowerCase() === name) return value;
  return undefined;
}

function isNumber(value: TomlValue | undefined): value is { readonly source: string } {
  return typeof value === "object" && "source" in value;
}
