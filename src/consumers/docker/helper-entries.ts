import { Secret } from "#core";
import { authsOf } from "../auth-file.ts";
import type {
  ConsumerLogin,
  Entry,
  EntryChange,
  FileDocument,
  Merged,
  Refusal,
  Warning,
} from "../contract.ts";
import { type JsonValue, removeJson, setJson } from "../json-edit.ts";
import { fieldOf, type JsonObject, memberOf, parseJsonText, readJsonText } from "../json-text.ts";
import { dockerKey } from "./docker-config.ts";

/** The helper that asks wharf.yaml: docker-credential-wharf. */
const HELPER = "wharf";
/** Before the key of an entry of `credHelpers`, in plans and in the state. */
const SECTION = "credHelpers ";

/** An entry that names the helper instead of holding the login's secret. */
export function helperEntry(login: ConsumerLogin): Entry {
  return { key: SECTION + dockerKey(login.registry), login: login.name, content: new Secret(HELPER) };
}

/** The helper answers for whole registries: a path alone is refused, where the file would have it `wider`. */
export function refusePaths(logins: readonly ConsumerLogin[]): {
  readonly kept: readonly ConsumerLogin[];
  readonly refusals: readonly Refusal[];
} {
  const kept = logins.filter((login) => login.path === undefined);
  const refusals = logins
    .filter((login) => login.path !== undefined)
    .map((login) => ({
      login: login.name,
      reason: `a credential helper is asked for all of ${login.registry}, and this login is for ${login.path} alone`,
      hint: "deliver it to podman, which knows paths, or to docker without helper:",
    }));
  return { kept, refusals };
}

/**
 * Merges the helper entries of a document, and takes away those of ours that it does not want; `mergeRest` does the others in between,
 * since each side makes room for the other when a delivery changes from one to the other. Throws FILE_INVALID.
 */
export function mergeHelperEntries(
  current: Uint8Array | undefined,
  document: FileDocument,
  owned: ReadonlySet<string>,
  mergeRest: (current: Uint8Array | undefined, document: FileDocument, owned: ReadonlySet<string>) => Merged,
): Merged {
  const wanted = document.entries.filter((entry) => entry.key.startsWith(SECTION));
  const ours = [...owned].filter((key) => key.startsWith(SECTION));
  if (wanted.length === 0 && ours.length === 0) return mergeRest(current, document, owned);
  const gone = ours.filter((key) => !wanted.some((entry) => entry.key === key));
  const cleared = dropHelpers(current, gone, document.path);
  const others = document.entries.filter((entry) => !wanted.includes(entry));
  const rest = mergeRest(
    cleared.content,
    { ...document, entries: others },
    new Set([...owned].filter((key) => !ours.includes(key))),
  );
  const put = putHelpers(rest.content, wanted, document.path);
  const bytes = put.text === undefined ? rest.content : new TextEncoder().encode(put.text);
  return {
    content: isSame(bytes, current) ? current : bytes,
    changes: [...put.changes, ...rest.changes, ...cleared.changes],
    warnings: [...rest.warnings, ...put.warnings],
    refusals: [...rest.refusals, ...put.refusals],
  };
}

function dropHelpers(
  current: Uint8Array | undefined,
  keys: readonly string[],
  file: string,
): { readonly content: Uint8Array | undefined; readonly changes: readonly EntryChange[] } {
  if (current === undefined || keys.length === 0) return { content: current, changes: [] };
  let text = readJsonText(current, file);
  if (text.trim() === "") return { content: current, changes: [] };
  const changes: EntryChange[] = [];
  for (const key of keys) {
    const name = key.slice(SECTION.length);
    // Another helper there is somebody's own choice since.
    if (helperOf(parseJsonText(text, file), name) !== HELPER) continue;
    text = removeJson(text, ["credHelpers", name], file);
    changes.push({ key, login: undefined, action: "remove" });
  }
  if (changes.length === 0) return { content: current, changes };
  const section = fieldOf(parseJsonText(text, file), "credHelpers")?.value;
  if (section?.kind === "object" && section.members.length === 0)
    text = removeJson(text, ["credHelpers"], file);
  const isEmpty = parseJsonText(text, file).members.length === 0;
  return { content: isEmpty ? undefined : new TextEncoder().encode(text), changes };
}

function putHelpers(
  current: Uint8Array | undefined,
  entries: readonly Entry[],
  file: string,
): {
  readonly text: string | undefined;
  readonly changes: readonly EntryChange[];
  readonly warnings: readonly Warning[];
  readonly refusals: readonly Refusal[];
} {
  const before = current === undefined ? "" : readJsonText(current, file);
  let text = before.trim() === "" ? "{}\n" : before;
  const changes: EntryChange[] = [];
  const warnings: Warning[] = [];
  const refusals: Refusal[] = [];
  for (const { key, login } of entries) {
    const name = key.slice(SECTION.length);
    const root = parseJsonText(text, file);
    const present = helperOf(root, name);
    if (present !== undefined && present !== HELPER) {
      refusals.push(taken(login, name, present));
      continue;
    }
    if (present === undefined) text = setJson(text, ["credHelpers", name], HELPER satisfies JsonValue, file);
    changes.push({ key, login, action: present === undefined ? "add" : "keep" });
    if (holdsSecret(root, name))
      warnings.push({
        kind: "format",
        login,
        message: `${file}: the entry ${name} of auths is not read any more, and its secret is still there`,
        hint: "take it out of the file",
      });
  }
  return {
    text: changes.some(({ action }) => action === "add") ? text : undefined,
    changes,
    warnings,
    refusals,
  };
}

function taken(login: string, key: string, helper: string): Refusal {
  const whose = helper === "" ? "to the file itself" : `to docker-credential-${helper}`;
  return {
    login,
    reason: `credHelpers gives ${key} ${whose}`,
    hint: `remove ${key} from credHelpers, or deliver without helper:`,
  };
}

function helperOf(root: JsonObject, key: string): string | undefined {
  const node = memberOf(fieldOf(root, "credHelpers")?.value, key)?.value;
  return node?.kind === "string" ? node.value : undefined;
}

/** docker login leaves an empty entry beside a helper; that is no secret. */
function holdsSecret(root: JsonObject, key: string): boolean {
  const node = memberOf(authsOf(root), key)?.value;
  return node?.kind === "object" && node.members.length > 0;
}

function isSame(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a !== undefined && b !== undefined && Buffer.compare(a, b) === 0;
}
