import type { Entry, EntryChange, Merged, Refusal, Warning } from "../contract.ts";
import { authDifferences, registryAuth } from "../registry-auth.ts";
import { removeTomlFields, setTomlFields } from "../toml-edit.ts";
import { parseTomlDocument, type TomlValue, tomlAt } from "../toml-text.ts";
import {
  AUTH_FIELDS,
  authOf,
  pluginName,
  pluginTable,
  type RegistryTable,
  readContainerdTable,
  readRegistryTable,
} from "./config.ts";
import { certificatePath } from "./paths.ts";

/** An entry of ours: the `auth` of a host, and where the certificate of its CA lies. */
export interface Wanted {
  readonly auth: Readonly<Record<string, string>>;
  readonly caFile?: string;
}

/** Edits of one file, one after the other. */
export interface Edit {
  put(entry: Entry, owned: ReadonlySet<string>): void;
  drop(key: string): void;
  result(): Omit<Merged, "content"> & { readonly text: string };
}

/** Throws FILE_INVALID where the text is no configuration. */
export function createEdit(start: string, path: string): Edit {
  let document = parseTomlDocument(start, path);
  const { version } = readContainerdTable(document.table);
  const plugin = pluginName(version);
  const changes: EntryChange[] = [];
  const warnings: Warning[] = [];
  const refusals: Refusal[] = [];
  const placeOf = (host: string, table: "auth" | "tls", name = plugin): readonly string[] => [
    "plugins",
    name,
    "registry",
    "configs",
    host,
    table,
  ];
  const valueOf = (place: readonly string[]): TomlValue | undefined => tomlAt(document.table, place);
  const registry = (): RegistryTable =>
    readRegistryTable(pluginTable(readContainerdTable(document.table), plugin));

  function put(entry: Entry, owned: ReadonlySet<string>): void {
    const { auth, caFile } = JSON.parse(entry.content.reveal()) as Wanted;
    const place = placeOf(entry.key, "auth");
    const value = valueOf(place);
    const there = value === undefined ? undefined : authOf(value);
    const ours = registryAuth(auth["auth"] ?? "", auth["identitytoken"]);
    const differs = there === undefined ? [] : there === "mistyped" ? ["form"] : authDifferences(there, ours);
    const action = there === undefined ? "add" : differs.length === 0 ? "keep" : "update";
    if (action !== "keep") {
      const edited = setTomlFields(document, { path: place, pairs: auth, ours: AUTH_FIELDS }, path);
      if (edited === undefined) {
        refusals.push(otherForm(entry, path));
        return;
      }
      document = edited;
    }
    changes.push({ key: entry.key, login: entry.login, action, ...(action === "update" ? { differs } : {}) });
    if (action === "update" && !owned.has(entry.key))
      warnings.push({
        kind: "format",
        login: entry.login,
        message: `${path}: the auth of ${entry.key} was not written by wharf and is replaced`,
      });
    // Version 3 is containerd 2's, which finds hosts.toml by itself.
    if (caFile !== undefined && version <= 2 && registry().configPath === "") putCa(entry, caFile);
  }

  function putCa(entry: Entry, caFile: string): void {
    const place = placeOf(entry.key, "tls");
    if (caOf(place) === caFile) return;
    const edited = registry().withTls.has(entry.key)
      ? undefined
      : setTomlFields(document, { path: place, pairs: { ca_file: caFile }, ours: ["ca_file"] }, path);
    if (edited === undefined)
      warnings.push({
        kind: "format",
        login: entry.login,
        message: `${path}: ${entry.key} has a tls table of somebody's already, which stays`,
        hint: `name ${caFile} in its ca_file if pulls fail`,
      });
    document = edited ?? document;
  }

  function caOf(place: readonly string[]): TomlValue | undefined {
    return valueOf([...place, "ca_file"]);
  }

  /** Under every name that the plugin has had: somebody may have migrated the file since. */
  function drop(key: string): void {
    let isThere = false;
    for (const name of [1, 2, 3].map(pluginName)) {
      const place = placeOf(key, "auth", name);
      const edited =
        valueOf(place) === undefined
          ? undefined
          : removeTomlFields(document, { path: place, ours: AUTH_FIELDS }, path);
      if (edited === undefined) continue;
      isThere = true;
      document = edited;
      const tls = placeOf(key, "tls", name);
      if (caOf(tls) === certificatePath(key))
        document = removeTomlFields(document, { path: tls, ours: ["ca_file"] }, path) ?? document;
    }
    if (isThere) changes.push({ key, login: undefined, action: "remove" });
  }

  return { put, drop, result: () => ({ text: document.text, changes, warnings, refusals }) };
}

function otherForm(entry: Entry, path: string): Refusal {
  return {
    login: entry.login,
    reason: `${path} has the login of ${entry.key} in a form that wharf does not edit (an inline table, or keys with dots)`,
    hint: `write it under a header of its own, [plugins."…".registry.configs."${entry.key}".auth]`,
  };
}
