import {
  isAnsibleVault,
  type ListedRegistry,
  openVars,
  parseVars,
  readRegistryList,
  sealAnsibleVault,
  type Vars,
  type VaultPassword,
} from "#ansible";
import { AppError, Secret } from "#core";
import type { EntryChange, FileDocument, Merged, VarsRules, Warning } from "../contract.ts";
import { HUB_KEY } from "../docker/docker-config.ts";
import { appendEntries, isOnlyEmptyList, removeEntry, replaceValue, type WantedEntry } from "./list-edit.ts";
import { renderScalar, renderVaultValue } from "./scalar.ts";
import { contentOf } from "./writer.ts";

/** Names of Hub that `docker_login` writes to the letter, and that docker never looks up. */
const HUB_ALIASES: ReadonlySet<string> = new Set(["docker.io", "index.docker.io", "registry-1.docker.io"]);
const MAX_BYTES = 16 * 1024 * 1024;

/**
 * Puts the document's entries into a vars file. A file that is encrypted as a whole is opened, edited and encrypted again under the
 * vault-id that it names; where nothing changes, it stays as it is, byte for byte. Throws FILE_INVALID, SECRET_UNAVAILABLE.
 */
export function mergeAnsible(
  current: Uint8Array | undefined,
  document: FileDocument,
  owned: ReadonlySet<string>,
): Merged {
  const rules = document.vars ?? { variable: "docker_login_registries", vault: undefined, passwords: [] };
  const { path } = document;
  const before = current === undefined ? "" : decode(current, path);
  const { clear, opened } = openVars(before, rules.passwords, path);
  const how: Editing = { rules, path, vault: valuesVault(clear, rules) };
  const edited = editList(clear.reveal(), { document, owned, how });
  const warnings = [...edited.warnings, ...clearWarnings(document, how, opened !== undefined)];
  const done = { changes: edited.changes, warnings, refusals: [] };
  const wantsWhole = rules.vault === "file" && document.entries.length > 0;
  const wantsClear = rules.vault !== undefined && rules.vault !== "file" && document.entries.length > 0;
  const staysWhole = opened === undefined ? !wantsWhole : !wantsClear;
  if (current !== undefined && edited.text === clear.reveal() && staysWhole)
    return { content: current, ...done };
  if (current !== undefined && document.entries.length === 0 && isOnlyEmptyList(edited.text, rules.variable))
    return { content: undefined, ...done };
  if (current === undefined && document.entries.length === 0) return { content: undefined, ...done };
  const [first] = rules.passwords;
  const by: VaultPassword | undefined =
    opened !== undefined && !wantsClear
      ? { ...opened.by, label: opened.label }
      : wantsWhole
        ? first
        : undefined;
  const content = by === undefined ? edited.text : sealAnsibleVault(new Secret(edited.text), by);
  return { content: new TextEncoder().encode(content), ...done };
}

interface Editing {
  readonly rules: VarsRules;
  readonly path: string;
  /** Encrypts each password of ours; undefined: they stand there as they are. */
  readonly vault: VaultPassword | undefined;
}

/** Value by value where that was asked for, and where the file does so already. */
function valuesVault(clear: Secret, { vault, passwords }: VarsRules): VaultPassword | undefined {
  if (vault === "values") return passwords[0];
  return vault === undefined && /!vault\b/.test(clear.reveal()) ? passwords[0] : undefined;
}

function editList(
  before: string,
  step: { readonly document: FileDocument; readonly owned: ReadonlySet<string>; readonly how: Editing },
): {
  readonly text: string;
  readonly changes: readonly EntryChange[];
  readonly warnings: readonly Warning[];
} {
  const { document, owned, how } = step;
  const { variable, passwords } = how.rules;
  let parsed: { readonly text: string; readonly vars: Vars } | undefined;
  const parse = (text: string): Vars => {
    if (parsed?.text !== text) parsed = { text, vars: parseVars(new Secret(text), how.path) };
    return parsed.vars;
  };
  const find = (vars: Vars, key: string): ListedRegistry | undefined =>
    readRegistryList(vars, passwords, variable)?.entries.findLast(
      ({ registry }) => (registry ?? HUB_KEY) === key,
    );
  let text = before;
  const changes: EntryChange[] = [];
  const warnings: Warning[] = [];
  // What comes new is put in together.
  const added = new Map<string, WantedEntry>();
  for (const entry of document.entries) {
    const { username, secret } = contentOf(entry);
    const render = renderer(how, secret);
    const wanted: WantedEntry = { key: entry.key, username: renderScalar(username), render };
    const found = find(parse(text), entry.key);
    const { key, login } = entry;
    if (found === undefined) {
      added.set(key, wanted);
      changes.push({ key, login, action: "add" });
      continue;
    }
    const differs = differences(found, { username, secret });
    if (isMisplaced(found, how) && !differs.includes("encryption")) differs.push("encryption");
    if (differs.length === 0) {
      changes.push({ key, login, action: "keep" });
      continue;
    }
    if (differs.includes("username"))
      text = replaceValue(parse(text), found, "username", () => renderScalar(username));
    const again = find(parse(text), entry.key) ?? found;
    if (differs.some((one) => one !== "username"))
      text = replaceValue(parse(text), again, "password", render);
    changes.push({ key, login, action: "update", differs });
    if (!owned.has(key))
      warnings.push({
        kind: "format",
        login,
        message: `${how.path}: the entry ${key} was not written by wharf and is replaced`,
      });
  }
  if (added.size > 0) text = appendEntries(parse(text), variable, [...added.values()]);
  const kept = new Set(document.entries.map((entry) => entry.key));
  for (const key of owned) {
    if (kept.has(key)) continue;
    const vars = text === "" ? undefined : parse(text);
    const found = vars === undefined ? undefined : find(vars, key);
    if (vars === undefined || found === undefined) continue;
    text = removeEntry(vars, variable, found);
    changes.push({ key, login: undefined, action: "remove" });
  }
  if (document.entries.length > 0) warnings.push(...listWarnings(parse(text), document, how));
  return { text, changes, warnings };
}

function renderer({ vault }: Editing, secret: string): WantedEntry["render"] {
  if (vault === undefined) return () => renderScalar(secret);
  const envelope = sealAnsibleVault(new Secret(secret), vault);
  return (indent) => renderVaultValue(envelope, indent);
}

function differences(
  found: ListedRegistry,
  wanted: { readonly username: string; readonly secret: string },
): string[] {
  const differs: string[] = [];
  const { username, password } = found;
  if (username.kind !== "text" || username.text.reveal() !== wanted.username) differs.push("username");
  if (password.kind !== "text" || password.text.reveal() !== wanted.secret) differs.push("secret");
  return differs;
}

/** In clear where values are to be encrypted, or the reverse. */
function isMisplaced(found: ListedRegistry, { rules, vault }: Editing): boolean {
  const isSealed = isSealedValue(found);
  if (rules.vault === "values") return !isSealed;
  return rules.vault === "none" && isSealed && vault === undefined;
}

function isSealedValue({ node }: ListedRegistry): boolean {
  const value: unknown = node.get("password", true);
  return typeof value === "object" && value !== null && "value" in value && typeof value.value === "string"
    ? isAnsibleVault(value.value)
    : false;
}

/** What of the list makes the play fail, or is of no use to docker. */
function listWarnings(vars: Vars, document: FileDocument, { rules, path }: Editing): readonly Warning[] {
  const list = readRegistryList(vars, rules.passwords, rules.variable);
  if (list === undefined) return [];
  const ours = new Set(document.entries.map((entry) => entry.key));
  const warnings: Warning[] = [];
  if (list.broken !== undefined)
    warnings.push({
      kind: "danger",
      message: `${path}: ${list.broken}, so the play stops there`,
      hint: "mend or remove it",
    });
  for (const { registry = HUB_KEY, username, password, line } of list.entries) {
    if (HUB_ALIASES.has(registry))
      warnings.push({
        kind: "format",
        message: `${path}:${line}: docker never reads a login under ${registry}: docker_login writes the name to the letter, and Hub's is ${HUB_KEY}`,
        hint: `write registry: ${HUB_KEY}, or remove the entry`,
      });
    for (const value of [username, password])
      if (
        value.kind === "text" &&
        (value.text.length === 0 || (value === username && value.text.reveal().includes(":")))
      )
        warnings.push({
          kind: "danger",
          message: `${path}:${line}: this entry makes docker drop other logins of a node's file`,
          hint: "an entry needs a username without a colon, and a password",
        });
    if (!ours.has(registry) && registry.includes("/") && registry !== HUB_KEY)
      warnings.push({
        kind: "format",
        message: `${path}:${line}: docker takes an entry ${registry} for its host alone, if at all`,
      });
  }
  return warnings;
}

function clearWarnings(
  document: FileDocument,
  { rules, path, vault }: Editing,
  isWhole: boolean,
): readonly Warning[] {
  const isSealed = vault !== undefined || rules.vault === "file" || (isWhole && rules.vault === undefined);
  if (isSealed || document.entries.length === 0 || rules.vault === "none") return [];
  return [
    {
      kind: "danger",
      message: `${path} will hold the secrets in clear`,
      hint: "encrypt it: vault: file (or values) with vault-password:; vault: none where it is meant so",
    },
  ];
}

function decode(bytes: Uint8Array, path: string): string {
  const invalid = (why: string): AppError =>
    new AppError("FILE_INVALID", `${path}: ${why}`, {
      hint: "mend the file or move it away; wharf left it as it is",
    });
  if (bytes.length > MAX_BYTES) throw invalid(`it is larger than ${MAX_BYTES} bytes`);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw invalid("it is not UTF-8 text");
  }
}
