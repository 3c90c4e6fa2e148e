import { isMap, isScalar, isSeq, type Pair } from "yaml";
import { type ListedRegistry, parseVars, type Vars } from "#ansible";
import { AppError, Secret } from "#core";

/** What one of our entries is to hold; `render` writes a value, as a block where `indent` is given. */
export interface WantedEntry {
  readonly key: string;
  readonly username: string;
  render(indent: string | undefined): string;
}

/** Puts another username or password into an entry and leaves every other byte. Throws FILE_INVALID for a form that is not edited. */
export function replaceValue(
  vars: Vars,
  entry: ListedRegistry,
  key: "username" | "password",
  render: WantedEntry["render"],
): string {
  const { text } = vars;
  const pair = pairOf(entry.node, key);
  const value = pair?.value;
  const start = rangeOf(pair?.key)[1];
  if (!isScalar(value)) throw unserved(vars);
  const [from, to] = rangeOf(value);
  const before = text.slice(start, from);
  // A comment between a key and its value would be lost.
  if (before.includes("#") || !/^\s*:/.test(before)) throw unserved(vars);
  const isBlock = /^[|>]/.test(text.slice(from, from + 1));
  if (!isBlock) return checked(vars, text.slice(0, start) + `: ${render(undefined)}` + text.slice(to));
  const rest = text.slice(to);
  const written = `: ${render(indentOf(text, rangeOf(pair?.key)[0]))}`;
  return checked(vars, text.slice(0, start) + withBreaks(vars, written) + breakOf(vars) + rest);
}

/** Puts entries behind the last one; the list is made at the file's end where there is none. */
export function appendEntries(vars: Vars, variable: string, wanted: readonly WantedEntry[]): string {
  const { text } = vars;
  const lines = (indent: string): string => wanted.map((one) => renderEntry(one, indent)).join("\n");
  const pair = pairOf(vars.document.contents, variable);
  if (pair === undefined) {
    const gap = text === "" || text.endsWith("\n") ? "" : breakOf(vars);
    const { contents } = vars.document;
    if (isMap(contents) && contents.flow === true) throw unserved(vars);
    return checked(vars, `${text}${gap}${withBreaks(vars, `${variable}:\n${lines("  ")}\n`)}`);
  }
  const list = pair.value;
  if (!isSeq(list)) throw unserved(vars);
  const last = list.items.at(-1);
  if (last === undefined) {
    const start = rangeOf(pair.key)[1];
    const [from, to] = rangeOf(list);
    if (!/^[ ]*:[ ]*$/.test(text.slice(start, from))) throw unserved(vars);
    const cut = `${text.slice(0, start)}:${text.slice(to)}`;
    return checked(vars, insertLine(vars, cut, start + 1, lines("  ")));
  }
  if (list.flow === true) throw unserved(vars);
  const indent = indentOf(text, dashOf(vars, last));
  return checked(vars, insertLine(vars, text, endOf(last), lines(indent)));
}

/** Takes an entry's lines away; an empty list stays as `[]`, since a play fails over nothing. */
export function removeEntry(vars: Vars, variable: string, entry: ListedRegistry): string {
  const { text } = vars;
  const pair = pairOf(vars.document.contents, variable);
  const list = pair?.value;
  if (!isSeq(list) || list.flow === true) throw unserved(vars);
  const dash = dashOf(vars, entry.node);
  const from = text.lastIndexOf("\n", dash - 1) + 1;
  const contentEnd = trimmedEnd(text, endOf(entry.node));
  const lineEnd = text.indexOf("\n", contentEnd);
  // The last line of a file may lack its break: the one before it has it then, as it was.
  const rest = lineEnd === -1 ? "" : text.slice(lineEnd + 1);
  const kept = lineEnd === -1 ? text.slice(0, from).replace(/\r?\n$/, "") : text.slice(0, from) + rest;
  if (list.items.length > 1) return checked(vars, kept);
  const colon = text.indexOf(":", rangeOf(pair?.key)[1]) + 1;
  return checked(vars, `${kept.slice(0, colon)} []${kept.slice(colon)}`);
}

/** Is there nothing in the text but an empty list. */
export function isOnlyEmptyList(text: string, variable: string): boolean {
  return text.replace(/^---\s*\n/, "").trim() === `${variable}: []`;
}

function renderEntry(wanted: WantedEntry, indent: string): string {
  const inner = `${indent}  `;
  return [
    `${indent}- registry: ${wanted.key}`,
    `${inner}username: ${wanted.username}`,
    `${inner}password: ${wanted.render(inner)}`,
  ].join("\n");
}

/** A line of its own behind the one that this offset is in. */
function insertLine(vars: Vars, text: string, offset: number, line: string): string {
  const from = trimmedEnd(text, offset);
  const found = text.indexOf("\n", from);
  const end = found === -1 ? text.length : found > 0 && text[found - 1] === "\r" ? found - 1 : found;
  return text.slice(0, end) + breakOf(vars) + withBreaks(vars, line) + text.slice(end);
}

/** Before the white space that a block or a comment's line ends with. */
function trimmedEnd(text: string, offset: number): number {
  let end = offset;
  while (end > 0 && /\s/.test(text[end - 1] ?? "")) end--;
  return end;
}

/** Where the content of a node ends; comments behind it are not counted, as the parser counts them. */
function endOf(node: unknown): number {
  if (isMap(node) && node.flow !== true) {
    const last = node.items.at(-1);
    return last?.value === null || last?.value === undefined ? rangeOf(last?.key)[1] + 1 : endOf(last.value);
  }
  if (isSeq(node) && node.flow !== true) return endOf(node.items.at(-1));
  return rangeOf(node)[1];
}

/** The `-` of an entry. */
function dashOf(vars: Vars, node: unknown): number {
  let at = rangeOf(node)[0] - 1;
  while (at >= 0 && /[ \r\n]/.test(vars.text[at] ?? "")) at--;
  const isFirst = /^[ ]*$/.test(vars.text.slice(vars.text.lastIndexOf("\n", at) + 1, Math.max(at, 0)));
  if (vars.text[at] !== "-" || !isFirst) throw unserved(vars);
  return at;
}

function pairOf(node: unknown, key: string): Pair | undefined {
  return isMap(node) ? node.items.find((pair) => isScalar(pair.key) && pair.key.value === key) : undefined;
}

function rangeOf(node: unknown): readonly [number, number] {
  if (typeof node === "object" && node !== null && "range" in node && Array.isArray(node.range))
    return [Number(node.range[0]), Number(node.range[1])];
  return [0, 0];
}

function indentOf(text: string, offset: number): string {
  return " ".repeat(offset - (text.lastIndexOf("\n", offset - 1) + 1));
}

function breakOf({ text }: Vars): string {
  return text.includes("\r\n") ? "\r\n" : "\n";
}

function withBreaks(vars: Vars, written: string): string {
  return written.replaceAll("\n", breakOf(vars));
}

/** It is still YAML, and every other variable says what it said. */
function checked(vars: Vars, text: string): string {
  const others = (found: Vars): string => {
    const value = found.document.toJS() as Record<string, unknown> | null;
    return JSON.stringify(Object.entries(value ?? {}).filter(([, one]) => !Array.isArray(one)));
  };
  let after: Vars;
  try {
    after = parseVars(new Secret(text), vars.where);
    if (others(after) === others(vars)) return text;
  } catch {
    throw unserved(vars);
  }
  throw unserved(vars);
}

function unserved(vars: Vars): AppError {
  return new AppError(
    "FILE_INVALID",
    `${vars.where}: its list is written in a form (anchors, braces, comments inside a value) that wharf does not edit`,
    { hint: "write each entry on lines of its own, as `- registry: …`; wharf left it as it is" },
  );
}
