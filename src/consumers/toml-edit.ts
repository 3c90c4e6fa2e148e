import { isAppError } from "#core";
import {
  parseTomlDocument,
  type TomlDocument,
  type TomlStatement,
  type TomlTable,
  tomlAt,
} from "./toml-text.ts";

/** A table of texts that is to stand in a file. */
export interface TomlFields {
  /** From the root, `["plugins", "x", "auth"]`. */
  readonly path: readonly string[];
  /** What shall be there. */
  readonly pairs: Readonly<Record<string, string>>;
  /** Names that we may take out of the table; all others are somebody else's. */
  readonly ours: readonly string[];
}

/**
 * Puts the pairs under a header of their own, in place of what stands there under names of ours; every other byte stays. undefined where
 * the table stands in a form that cannot be edited so (inline, or by dotted keys).
 */
export function setTomlFields(
  document: TomlDocument,
  fields: TomlFields,
  file: string,
): TomlDocument | undefined {
  const { text } = document;
  const block = findBlock(document, fields);
  const isElsewhere = block === undefined && tomlAt(document.table, fields.path) !== undefined;
  if (isElsewhere) return undefined;
  const edited = parseEdited(
    block === undefined ? appended(text, fields) : replaced(text, block, fields),
    file,
  );
  return edited !== undefined && holds(edited.table, fields) ? edited : undefined;
}

/** Takes our names out of the table, and its header where nothing is left. undefined as `setTomlFields`; throws FILE_INVALID. */
export function removeTomlFields(
  document: TomlDocument,
  fields: Pick<TomlFields, "path" | "ours">,
  file: string,
): TomlDocument | undefined {
  const block = findBlock(document, fields);
  if (block === undefined) return tomlAt(document.table, fields.path) === undefined ? document : undefined;
  return parseTomlDocument(withoutOurs(document.text, block, fields), file);
}

function withoutOurs(text: string, block: Block, fields: Pick<TomlFields, "path" | "ours">): string {
  const isEmptied = block.pairs.every((pair) => isOurs(pair, fields));
  const gone = block.pairs.filter((pair) => isOurs(pair, fields));
  if (!isEmptied) return without(text, gone);
  const left = without(text.slice(block.header.end), gone, block.header.end);
  let before = text.slice(0, block.header.start);
  // The empty line that stands before a block of ours, and the line end before it where the file ended without one.
  before = before.replace(/(^|\n)\r?\n$/, "$1");
  if (left === "" && !text.endsWith("\n")) before = before.replace(/\r?\n$/, "");
  return before + left;
}

interface Block {
  readonly header: TomlStatement;
  readonly pairs: readonly TomlStatement[];
}

function findBlock({ statements }: TomlDocument, fields: Pick<TomlFields, "path">): Block | undefined {
  const at = statements.findIndex(({ kind, keys }) => kind === "table" && isSame(keys, fields.path));
  const header = statements[at];
  if (header === undefined) return undefined;
  const rest = statements.slice(at + 1);
  const next = rest.findIndex(({ kind }) => kind !== "pair");
  return { header, pairs: next === -1 ? rest : rest.slice(0, next) };
}

function appended(text: string, { path, pairs }: TomlFields): string {
  const end = lineEnd(text);
  const hasEnd = text === "" || text.endsWith("\n");
  const block = `[${path.map(renderKey).join(".")}]${end}${render(pairs, "  ", end)}`;
  if (text === "") return block;
  return hasEnd ? `${text}${end}${block}` : `${text}${end}${end}${block.slice(0, -end.length)}`;
}

function replaced(text: string, block: Block, fields: TomlFields): string {
  const end = lineEnd(text);
  const [first] = block.pairs;
  const shown = text.slice(first?.start ?? block.header.start);
  const indent = (/^[ \t]*/.exec(shown)?.[0] ?? "") + (first === undefined ? "  " : "");
  const head = text.slice(0, block.header.end);
  const ours = block.pairs.filter((pair) => isOurs(pair, fields));
  const rest = without(text.slice(block.header.end), ours, block.header.end);
  const lines = render(fields.pairs, indent, end);
  // A file may end without a line end.
  if (!head.endsWith("\n")) return `${head}${end}${lines.slice(0, -end.length)}`;
  return head + (rest === "" && !text.endsWith("\n") ? lines.slice(0, -end.length) : lines) + rest;
}

/** `text` without these statements; `offset` is where it begins in the text that they were found in. */
function without(text: string, statements: readonly TomlStatement[], offset = 0): string {
  let left = "";
  let at = 0;
  for (const { start, end } of statements) {
    left += text.slice(at, start - offset);
    at = end - offset;
  }
  return left + text.slice(at);
}

/** Only a name of one part: `auth.x = 1` in the table is nothing of ours. */
function isOurs(pair: TomlStatement, { path, ours }: Pick<TomlFields, "path" | "ours">): boolean {
  return pair.keys.length === path.length + 1 && ours.includes(pair.keys.at(-1) ?? "");
}

/** undefined where the new header stands where this file allows none: its table was closed before. */
function parseEdited(text: string, file: string): TomlDocument | undefined {
  try {
    return parseTomlDocument(text, file);
  } catch (cause) {
    if (isAppError(cause, "FILE_INVALID")) return undefined;
    throw cause;
  }
}

function holds(table: TomlTable, { path, pairs, ours }: TomlFields): boolean {
  const there = tomlAt(table, path);
  return there instanceof Map && ours.every((name) => (there as TomlTable).get(name) === pairs[name]);
}

function isSame(keys: readonly string[], path: readonly string[]): boolean {
  return keys.length === path.length && keys.every((key, index) => key === path[index]);
}

function lineEnd(text: string): string {
  return /\r\n/.test(text) ? "\r\n" : "\n";
}

function render(pairs: Readonly<Record<string, string>>, indent: string, end: string): string {
  return Object.entries(pairs)
    .map(([key, value]) => `${indent}${renderKey(key)} = ${renderText(value)}${end}`)
    .join("");
}

function renderKey(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : renderText(key);
}

/** JSON's escapes are TOML's too; DEL has to be one in TOML. */
function renderText(text: string): string {
  return JSON.stringify(text).replaceAll("\u007f", "\\u007f");
}
