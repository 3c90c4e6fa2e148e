import { type Document, isMap, isScalar, type Pair, parseAllDocuments, type YAMLMap } from "yaml";
import { AppError } from "#core";

/** A value that is written: in braces, on one line, every text in double quotes. */
export type YamlValue = string | { readonly [key: string]: YamlValue };

const MAX_BYTES = 4 * 1024 * 1024;

/**
 * Parses a file that holds one YAML mapping, or nothing. Throws FILE_INVALID, with line and column where the parser knows them, never with
 * content: for several documents, a key twice, and anything that is no mapping.
 */
export function parseYaml(text: string, path: string): Document {
  let documents: ReturnType<typeof parseAllDocuments>;
  try {
    documents = parseAllDocuments(text, { uniqueKeys: true, logLevel: "silent" });
  } catch (cause) {
    throw invalid(path, "this is not YAML", cause);
  }
  const [document] = Array.isArray(documents) ? documents : [];
  if (document === undefined) return parseYaml("---", path);
  const [fault] = document.errors;
  if (fault !== undefined) {
    const at = fault.linePos?.[0];
    throw invalid(at === undefined ? path : `${path}:${at.line}:${at.col}`, "this is not YAML");
  }
  if (documents.length > 1) throw invalid(path, "it holds several documents, and one is read");
  if (document.contents !== null && !isMap(document.contents) && !isNothing(document.contents))
    throw invalid(path, "a mapping was expected");
  return document;
}

/** Bytes of a YAML file as text. Throws FILE_INVALID when they are not UTF-8 or too many. */
export function readYamlText(bytes: Uint8Array, path: string): string {
  if (bytes.length > MAX_BYTES) throw invalid(path, `it is larger than ${MAX_BYTES} bytes`);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw invalid(path, "it is not UTF-8 text", cause);
  }
}

/** The document as plain values. Throws FILE_INVALID where aliases make it endless. */
export function yamlValue(document: Document, path: string): unknown {
  try {
    return document.toJS() as unknown;
  } catch (cause) {
    throw invalid(path, "its aliases cannot be followed", cause);
  }
}

/**
 * Sets one member and leaves every other byte. Mappings on the way are made, a line for each, where they are missing or empty.
 * Throws FILE_INVALID where the spot is written in a form that cannot be edited so.
 */
export function setYaml(text: string, path: readonly string[], value: YamlValue, file: string): string {
  const document = parseYaml(text, file);
  const edited = withMember(text, document, { path, value, file });
  const expected = withExpected(plainCopy(yamlValue(document, file)), { path, value });
  return checked(edited, expected, file);
}

/** A piece of a text, and what comes in its place. */
export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly lines: string;
}

/** Sets the member in plain values too: what the edited text is to say. */
export function withExpected(
  expected: Record<string, unknown>,
  { path, value }: { readonly path: readonly string[]; readonly value: YamlValue },
): Record<string, unknown> {
  let at = expected;
  for (const key of path.slice(0, -1)) {
    if (!isRecord(at[key])) at[key] = {};
    at = at[key] as Record<string, unknown>;
  }
  at[path.at(-1) ?? ""] = value;
  return expected;
}

/** Takes one member out, and with it the mappings that it was alone in; the same text when it is not there. Throws as `setYaml`. */
export function removeYaml(text: string, path: readonly string[], file: string): string {
  const document = parseYaml(text, file);
  const trail: Step[] = [];
  let node: unknown = document.contents;
  for (const key of path) {
    const pair = isMap(node) ? pairOf(node, key) : undefined;
    if (!isMap(node) || pair === undefined) return text;
    trail.push({ map: node, pair });
    node = pair.value;
  }
  let depth = trail.length - 1;
  while (depth > 0 && isAlone(text, trail[depth], trail[depth - 1])) depth--;
  const gone = trail[depth];
  if (gone === undefined) return text;
  const expected = plainCopy(yamlValue(document, file));
  let at: unknown = expected;
  const isEmptied = depth > 0 && gone.map.items.length === 1;
  for (const key of path.slice(0, isEmptied ? depth - 1 : depth)) at = isRecord(at) ? at[key] : undefined;
  if (isRecord(at) && isEmptied) at[path[depth - 1] ?? ""] = gone.map.flow === true ? {} : null;
  else if (isRecord(at)) delete at[path[depth] ?? ""];
  return checked(cutPair(text, gone.map, gone.pair), expected, file);
}

interface Step {
  readonly map: YAMLMap;
  readonly pair: Pair;
}

/** The only member of its mapping, with no word of anybody's behind the key above: then that goes too. */
function isAlone(text: string, step: Step | undefined, above: Step | undefined): boolean {
  if (step === undefined || above === undefined || step.map.items.length > 1) return false;
  return !/[#&!]/.test(text.slice(keyEnd(above.pair), startOf(step.pair.key)));
}

function withMember(
  text: string,
  document: Document,
  edit: { readonly path: readonly string[]; readonly value: YamlValue; readonly file: string },
): string {
  const { path, value, file } = edit;
  const root: unknown = document.contents;
  if (!isMap(root)) return appendAtEnd(text, blockLines(path, value, "", unitOf(text)));
  let map: YAMLMap = root;
  for (const [depth, key] of path.entries()) {
    const pair = pairOf(map, key);
    const rest = path.slice(depth + 1);
    if (pair === undefined) return insert(text, map, path.slice(depth), value);
    if (rest.length === 0) return replaceValue(text, pair, value);
    if (isNothing(pair.value)) return fillHole(text, pair, rest, value);
    if (!isMap(pair.value)) throw invalid(file, `${key} is no mapping`);
    map = pair.value;
  }
  return text;
}

function insert(text: string, map: YAMLMap, path: readonly string[], value: YamlValue): string {
  const last = map.items.at(-1);
  if (map.flow === true) {
    const whole = path.slice(1).reduceRight<YamlValue>((inner, key) => ({ [key]: inner }), value);
    const member = `${JSON.stringify(path[0])}: ${renderFlow(whole)}`;
    const at = last === undefined ? startOf(map) + 1 : endOf(last);
    return `${text.slice(0, at)}${last === undefined ? "" : ", "}${member}${text.slice(at)}`;
  }
  const first = map.items[0];
  const indent = first === undefined ? "" : indentAt(text, startOf(first.key));
  const lines = blockLines(path, value, indent, unitOf(text));
  return last === undefined ? appendAtEnd(text, lines) : insertAfter(text, endOf(last), lines);
}

/** Below `key:` that has nothing, or null, behind it. */
function fillHole(text: string, pair: Pair, path: readonly string[], value: YamlValue): string {
  const start = isScalar(pair.value) && pair.value.range ? pair.value.range[0] : endOf(pair);
  const end = endOf(pair);
  const indent = indentAt(text, startOf(pair.key));
  const unit = unitOf(text);
  const bare = text.slice(0, start) + text.slice(end);
  return insertAfter(bare, start, blockLines(path, value, indent + unit, unit));
}

function replaceValue(text: string, pair: Pair, value: YamlValue): string {
  const { start, end, lines } = replacement(text, pair, value);
  return text.slice(0, start) + lines + text.slice(end);
}

export function replacement(text: string, pair: Pair, value: YamlValue): Splice {
  const node: unknown = pair.value;
  const rendered = renderFlow(value);
  const afterColon = text.indexOf(":", keyEnd(pair)) + 1;
  if (isNothing(node))
    return { start: afterColon, end: Math.max(endOf(pair), afterColon), lines: ` ${rendered}` };
  const end = startOf(node) + text.slice(startOf(node), endOf(pair)).trimEnd().length;
  const isBlock = isMap(node) && node.flow !== true;
  // What stands on lines of its own comes up to the key.
  return isBlock
    ? { start: afterColon, end, lines: ` ${rendered}` }
    : { start: startOf(node), end, lines: rendered };
}

export function cutPair(text: string, map: YAMLMap, pair: Pair): string {
  const index = map.items.indexOf(pair);
  const start = startOf(pair.key);
  const end = start + text.slice(start, endOf(pair)).trimEnd().length;
  if (map.flow === true) {
    const next = map.items[index + 1];
    const previous = map.items[index - 1];
    if (previous !== undefined) return text.slice(0, endOf(previous)) + text.slice(end);
    return next === undefined
      ? text.slice(0, start) + text.slice(end)
      : text.slice(0, start) + text.slice(startOf(next.key));
  }
  const from = text.lastIndexOf("\n", start - 1) + 1;
  const newline = text.indexOf("\n", end);
  if (newline >= 0) return text.slice(0, from) + text.slice(newline + 1);
  // The last line had no end when ours came: it has none again.
  return text.slice(0, from).replace(/\r?\n$/, "");
}

export function insertAfter(text: string, offset: number, lines: readonly string[]): string {
  const { start, lines: added } = addition(text, offset, lines);
  return text.slice(0, start) + added + text.slice(start);
}

/** Lines of their own behind the line that this offset is in. */
export function addition(text: string, offset: number, lines: readonly string[]): Splice {
  const eol = text.includes("\r\n") ? "\r\n" : "\n";
  const newline = text[offset - 1] === "\n" ? offset - 1 : text.indexOf("\n", offset);
  const start = newline < 0 ? text.length : newline + 1;
  const added = lines.map((line) => (newline < 0 ? eol + line : line + eol)).join("");
  return { start, end: start, lines: added };
}

export function appendAtEnd(text: string, lines: readonly string[]): string {
  if (text === "") return `${lines.join("\n")}\n`;
  return insertAfter(text, text.length, lines);
}

export function blockLines(
  path: readonly string[],
  value: YamlValue,
  indent: string,
  unit: string,
): readonly string[] {
  return path.map((key, depth) => {
    const head = `${indent}${unit.repeat(depth)}${renderKey(key)}:`;
    return depth === path.length - 1 ? `${head} ${renderFlow(value)}` : head;
  });
}

/** Plain where a key is a word of ours; hosts with ports, `*` and numbers are quoted. */
function renderKey(key: string): string {
  return /^[a-z][a-z_]*$/.test(key) ? key : JSON.stringify(key);
}

function renderFlow(value: YamlValue): string {
  if (typeof value === "string") return JSON.stringify(value);
  const members = Object.entries(value).map(([key, item]) => `${renderKey(key)}: ${renderFlow(item)}`);
  return `{${members.join(", ")}}`;
}

/** Does the edited text say what it was to say: else the spot is written in a form that text edits do not serve. */
export function checked(text: string, expected: unknown, file: string): string {
  const unserved = (): AppError =>
    invalid(file, "it is written in a form (anchors, or braces over lines) that wharf does not edit");
  let found: unknown;
  try {
    found = yamlValue(parseYaml(text, file), file);
  } catch {
    throw unserved();
  }
  if (JSON.stringify(sorted(found ?? {})) !== JSON.stringify(sorted(expected))) throw unserved();
  return text;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isRecord(value)) return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => [key, sorted(item)]);
}

export function plainCopy(value: unknown): Record<string, unknown> {
  return isRecord(value) ? structuredClone(value) : {};
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isNothing(node: unknown): boolean {
  return node === null || node === undefined || (isScalar(node) && node.value === null);
}

export function pairOf(map: YAMLMap, key: string): Pair | undefined {
  return map.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === key);
}

function rangeOf(node: unknown): readonly [number, number] | undefined {
  if (typeof node !== "object" || node === null || !("range" in node) || !Array.isArray(node.range))
    return undefined;
  return [Number(node.range[0]), Number(node.range[1])];
}

export function startOf(node: unknown): number {
  return rangeOf(node)?.[0] ?? 0;
}

export function keyEnd(pair: Pair): number {
  return rangeOf(pair.key)?.[1] ?? 0;
}

export function endOf(pair: Pair): number {
  return rangeOf(pair.value)?.[1] ?? keyEnd(pair);
}

/** White space that the line of this offset begins with. */
export function indentAt(text: string, offset: number): string {
  return /^[ ]*/.exec(text.slice(text.lastIndexOf("\n", offset - 1) + 1, offset))?.[0] ?? "";
}

/** One level deeper, as the file does it; two spaces where it does not show. */
export function unitOf(text: string): string {
  return (
    /^[^\s#][^\n]*:[ \t]*(?:#[^\n]*)?\r?\n(?:[ \t]*(?:#[^\n]*)?\r?\n)*( +)[^\s#-]/m.exec(text)?.[1] ?? "  "
  );
}

function invalid(where: string, why: string, cause?: unknown): AppError {
  return new AppError("FILE_INVALID", `${where}: ${why}`, {
    hint: "mend the file or move it away; wharf left it as it is",
    ...(cause === undefined ? {} : { cause }),
  });
}
