import { differences, LOGIN_FIELDS, parseEntry } from "./auth-entry.ts";
import type { Entry, EntryChange, FileDocument, Merged, Refusal, Warning } from "./contract.ts";
import { addJson, type JsonValue, removeJson, setJson } from "./json-edit.ts";
import {
  fieldOf,
  type JsonMember,
  type JsonNode,
  type JsonObject,
  memberOf,
  parseJsonText,
  readJsonText,
} from "./json-text.ts";

/** Where one program's file differs from the plain `{"auths": {…}}`. */
export interface AuthFileRules {
  /** Does somebody's setting in the file make this entry useless: then it is left out, with the reason. */
  refuse?(root: JsonObject, entry: Entry): Refusal | undefined;
  /** Further members that the entries need (`credHelpers`), each a path and a text; those there are kept. */
  extras?(root: JsonObject, entry: Entry): readonly (readonly [string, string, string])[];
  /** What of `extras` goes when the entry goes. */
  leftovers?(key: string): readonly (readonly [string, string, string])[];
  /** Warnings about the file as it will be. */
  inspect?(root: JsonObject, document: FileDocument): readonly Warning[];
}

/**
 * Merges entries into a JSON file with `auths`. Only touched members change; unknown fields, order, indentation and line ends stay,
 * within a touched entry too. Without entries and with nothing of anybody's left the file goes. Throws FILE_INVALID.
 */
export function mergeAuthFile(
  current: Uint8Array | undefined,
  document: FileDocument,
  owned: ReadonlySet<string>,
  rules: AuthFileRules = {},
): Merged {
  const file = document.path;
  const before = current === undefined ? "" : readJsonText(current, file);
  const warnings: Warning[] = [];
  // An empty file holds nothing of anybody's, and podman refuses to read it.
  const isBlank = before.trim() === "";
  if (current !== undefined && isBlank)
    warnings.push({ kind: "format", message: `${file} is empty, which podman takes for a fault` });
  let text = isBlank ? "{}\n" : before;
  const changes: EntryChange[] = [];
  const refusals: Refusal[] = [];

  // Entries that come new are put in together; the file is parsed anew only where something else in it changed.
  const added = new Map<string, JsonValue>();
  const addAll = (): void => {
    text = addJson(
      text,
      "auths",
      [...added].map(([key, value]) => ({ key, value })),
      file,
    );
    added.clear();
  };
  let parsed: { readonly text: string; readonly root: JsonObject } | undefined;
  for (const entry of document.entries) {
    if (added.has(entry.key)) addAll();
    if (parsed?.text !== text) parsed = { text, root: parseJsonText(text, file) };
    const { root } = parsed;
    const refusal = rules.refuse?.(root, entry);
    if (refusal !== undefined) {
      refusals.push(refusal);
      continue;
    }
    const extras = rules.extras?.(root, entry) ?? [];
    if (memberOf(authsOf(root), entry.key) === undefined) {
      added.set(entry.key, JSON.parse(entry.content.reveal()) as JsonValue);
      changes.push({ key: entry.key, login: entry.login, action: "add" });
    } else {
      const done = putEntry(text, root, entry, file);
      text = done.text;
      changes.push(done.change);
      if (done.change.action === "update" && !owned.has(entry.key))
        warnings.push({
          kind: "format",
          login: entry.login,
          message: `${file}: the entry ${entry.key} was not written by wharf and is replaced`,
        });
    }
    // Which section stands first is what it was: the entry's own.
    if (extras.length > 0) addAll();
    for (const [section, key, value] of extras) text = setJson(text, [section, key], value, file);
  }
  addAll();
  const wanted = new Set(document.entries.map((entry) => entry.key));
  for (const key of owned) {
    if (wanted.has(key)) continue;
    const without = dropEntry(text, key, file, rules);
    if (without !== text) changes.push({ key, login: undefined, action: "remove" });
    text = without;
  }
  const removed = changes.some((change) => change.action === "remove");
  if (removed) text = tidy(text, file);
  const root = parseJsonText(text, file);
  warnings.push(...(rules.inspect?.(root, document) ?? []));
  const holdsNothing = root.members.length === 0 && (removed || isBlank);
  return {
    content: holdsNothing ? undefined : text === before ? current : new TextEncoder().encode(text),
    changes,
    warnings,
    refusals,
  };
}

/** The `auths` object of a file; undefined when it is not there or no object. */
export function authsOf(root: JsonObject): JsonObject | undefined {
  const node = fieldOf(root, "auths")?.value;
  return node?.kind === "object" ? node : undefined;
}

/** An entry that is there, under whatever form. */
function putEntry(
  text: string,
  root: JsonObject,
  entry: Entry,
  file: string,
): { readonly text: string; readonly change: EntryChange } {
  const wanted = JSON.parse(entry.content.reveal()) as Record<string, string>;
  const change = { key: entry.key, login: entry.login };
  const existing = memberOf(authsOf(root), entry.key)?.value;
  if (existing?.kind !== "object")
    return {
      text: setJson(text, ["auths", entry.key], wanted, file),
      change: { ...change, action: "update", differs: ["form"] },
    };
  const present = loginFields(existing);
  if (isSame(present, wanted)) return { text, change: { ...change, action: "keep" } };

  let edited = text;
  for (const member of present)
    if (wanted[member.key] === undefined) edited = removeJson(edited, ["auths", entry.key, member.key], file);
  for (const [name, value] of Object.entries(wanted))
    edited = setJson(edited, ["auths", entry.key, name], value, file);
  const after = parseJsonText(JSON.stringify(wanted satisfies JsonValue), file);
  const differs = differences(parseEntry(existing), parseEntry(after));
  return {
    text: edited,
    change: { ...change, action: "update", differs: differs.length === 0 ? ["form"] : differs },
  };
}

function loginFields(entry: JsonObject): readonly JsonMember[] {
  return entry.members.filter((member) => LOGIN_FIELDS.some((field) => field === member.key.toLowerCase()));
}

function isSame(present: readonly JsonMember[], wanted: Readonly<Record<string, string>>): boolean {
  return (
    present.length === Object.keys(wanted).length &&
    present.every((member) => member.value.kind === "string" && member.value.value === wanted[member.key])
  );
}

function dropEntry(text: string, key: string, file: string, rules: AuthFileRules): string {
  const auths = authsOf(parseJsonText(text, file));
  const gone = memberOf(auths, key)?.value;
  let edited = removeJson(text, ["auths", key], file);
  for (const alias of otherSpellings(key)) {
    const copy = memberOf(auths, alias)?.value;
    if (gone !== undefined && copy !== undefined && isCopy(gone, copy))
      edited = removeJson(edited, ["auths", alias], file);
  }
  for (const [section, name, value] of rules.leftovers?.(key) ?? []) {
    const node = memberOf(fieldOf(parseJsonText(edited, file), section)?.value, name)?.value;
    if (node?.kind === "string" && node.value === value) edited = removeJson(edited, [section, name], file);
  }
  return edited;
}

const HUB = ["https://index.docker.io/v1/", "index.docker.io", "docker.io", "registry-1.docker.io"];

/** Keys under which a copy of the same login may stand, whoever reads them: what leaves must leave under all of its names. */
function otherSpellings(key: string): readonly string[] {
  if (HUB.includes(key)) return HUB.filter((one) => one !== key);
  if (key.includes("/")) return [];
  return ["https", "http"].flatMap((scheme) =>
    ["", "/", "/v1/", "/v2/"].map((path) => `${scheme}://${key}${path}`),
  );
}

function isCopy(a: JsonNode, b: JsonNode): boolean {
  return differences(parseEntry(a), parseEntry(b)).length === 0;
}

/** Drops the sections that became empty, so that what we added goes without a trace. */
function tidy(text: string, file: string): string {
  let edited = text;
  for (const section of ["auths", "credHelpers"]) {
    const node = fieldOf(parseJsonText(edited, file), section)?.value;
    if (node?.kind === "object" && node.members.length === 0) edited = removeJson(edited, [section], file);
  }
  return edited;
}
