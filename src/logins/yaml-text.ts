import {
  isCollection,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Pair,
  parseDocument,
  stringify,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";

/**
 * Small edits of YAML text that leave every other byte where it is. Each function gives the new text, or undefined where the spot is
 * written in a form that it does not edit (then the whole document is rendered instead). They change text only: the caller checks
 * that the result means what it should.
 */

/** Adds or changes fields of the mapping at `path` (which must be there); undefined values take a field out. */
export function setFields(
  text: string,
  path: readonly string[],
  fields: Readonly<Record<string, unknown>>,
): string | undefined {
  let next: string | undefined = text;
  for (const [key, value] of Object.entries(fields)) {
    if (next === undefined) return undefined;
    const map = nodeAt(next, path);
    if (!isMap(map)) return undefined;
    const pair = pairOf(map, key);
    if (value === undefined) next = pair === undefined ? next : withoutPair(next, map, pair);
    else if (pair === undefined) next = withPair(next, map, key, value);
    else next = withValue(next, pair, value);
  }
  return next;
}

/** Adds `key:` with a mapping of these fields to the mapping under the top-level `section`, which is made where it is missing. */
export function addBlock(
  text: string,
  section: string,
  key: string,
  fields: Readonly<Record<string, unknown>>,
): string | undefined {
  return addToSection(text, section, (indent) => {
    const lines = Object.entries(fields).map(([name, value]) => `${indent}  ${name}: ${scalar(value)}`);
    return [`${indent}${scalar(key)}:`, ...lines];
  });
}

/** Adds items, one line each, to the list under the top-level `section`, which is made where it is missing. */
export function addItems(
  text: string,
  section: string,
  items: readonly Readonly<Record<string, unknown>>[],
): string | undefined {
  return addToSection(text, section, (indent) =>
    items.map((item) => {
      const fields = Object.entries(item).map(([name, value]) => `${name}: ${scalar(value)}`);
      return `${indent}- { ${fields.join(", ")} }`;
    }),
  );
}

/** Takes the entry `key` out of the mapping at `path`. */
export function removeKey(text: string, path: readonly string[], key: string): string | undefined {
  const map = nodeAt(text, path);
  const pair = isMap(map) ? pairOf(map, key) : undefined;
  if (!isMap(map) || pair === undefined) return undefined;
  if (map.items.length > 1) return withoutPair(text, map, pair);
  return emptied(text, map, "{}");
}

/** Takes items out of the list at `path`. */
export function removeItems(
  text: string,
  path: readonly (string | number)[],
  isGone: (value: unknown) => boolean,
): string | undefined {
  const list = nodeAt(text, path);
  if (!isSeq(list)) return undefined;
  const values: unknown[] = list.toJSON();
  const gone = values.flatMap((value, index) => (isGone(value) ? [index] : []));
  if (gone.length === 0) return text;
  if (gone.length === values.length) return emptied(text, list, "[]");
  let next = text;
  for (const index of gone.reverse()) {
    const now = nodeAt(next, path);
    if (!isSeq(now)) return undefined;
    const cut = cutItem(next, now, index);
    if (cut === undefined) return undefined;
    next = cut;
  }
  return next;
}

/** The node at a path; undefined where there is none. */
export function nodeAt(text: string, path: readonly (string | number)[]): unknown {
  const document = parseDocument(text, { logLevel: "silent" });
  return path.length === 0 ? document.contents : document.getIn(path, true);
}

function addToSection(
  text: string,
  section: string,
  render: (indent: string) => readonly string[],
): string | undefined {
  const eol = eolOf(text);
  const top = nodeAt(text, []);
  if (top !== null && !isMap(top)) return undefined;
  const pair = top === null ? undefined : pairOf(top, section);
  if (top !== null && isMap(top) && top.flow === true) return undefined;
  if (pair === undefined) {
    const gap = text === "" || text.endsWith("\n") ? "" : eol;
    return `${text}${gap}${[`${section}:`, ...render("  ")].join(eol)}${eol}`;
  }
  const value = pair.value;
  if (isCollection(value) && value.items.length > 0) {
    if (value.flow === true) return undefined;
    const first = value.items[0];
    const start = isPair(first) ? rangeOf(first.key)?.[0] : rangeOf(first)?.[0];
    if (start === undefined) return undefined;
    const indent = /^[ ]*/.exec(text.slice(lineStart(text, start)))?.[0] ?? "";
    return insertLines(text, afterLine(text, endOf(value)), render(indent), eol);
  }
  const key = rangeOf(pair.key);
  if (key === undefined) return undefined;
  const range = rangeOf(value);
  const isFlow = isCollection(value) && range !== undefined;
  // `logins: {}` and `logins:` become the head of a block; a comment behind them stays.
  const head = isFlow ? text.slice(0, range[0]).trimEnd() + text.slice(range[1]) : text;
  return insertLines(head, afterLine(head, key[1]), render("  "), eol);
}

function withPair(text: string, map: YAMLMap, key: string, value: unknown): string | undefined {
  const last = map.items.at(-1);
  const first = map.items[0];
  if (first === undefined || last === undefined) return undefined;
  if (map.flow === true) {
    const end = endOf(last.value ?? last.key);
    return splice(text, end, end, `, ${key}: ${scalar(value)}`);
  }
  const start = rangeOf(first.key)?.[0];
  if (start === undefined) return undefined;
  const indent = " ".repeat(start - lineStart(text, start));
  return insertLines(text, afterLine(text, endOf(map)), [`${indent}${key}: ${scalar(value)}`], eolOf(text));
}

function withValue(text: string, pair: Pair, value: unknown): string | undefined {
  const range = rangeOf(pair.value);
  if (range === undefined || (isCollection(pair.value) && pair.value.flow !== true)) return undefined;
  if (isScalar(pair.value) && (pair.value.type ?? "").startsWith("BLOCK")) return undefined;
  if (JSON.stringify(toPlain(pair.value)) === JSON.stringify(value)) return text;
  return splice(text, range[0], range[1], scalar(value));
}

function withoutPair(text: string, map: YAMLMap, pair: Pair): string | undefined {
  const key = rangeOf(pair.key);
  if (key === undefined) return undefined;
  if (map.flow !== true) {
    const start = lineStart(text, key[0]);
    // A first key behind `- ` shares its line with the dash.
    if (text.slice(start, key[0]).trim() !== "") return undefined;
    return splice(text, start, afterLine(text, endOf(pair.value ?? pair.key)), "");
  }
  return cutFlow(
    text,
    map.items.map((item) => [rangeOf(item.key)?.[0] ?? 0, endOf(item.value ?? item.key)] as const),
    map.items.indexOf(pair),
  );
}

function cutItem(text: string, list: YAMLSeq, index: number): string | undefined {
  const item = list.items[index];
  const range = rangeOf(item);
  if (range === undefined) return undefined;
  if (list.flow === true) {
    const spans = list.items.map((one) => [rangeOf(one)?.[0] ?? 0, endOf(one)] as const);
    return cutFlow(text, spans, index);
  }
  const start = lineStart(text, range[0]);
  if (text.slice(start, range[0]).trim() !== "-") return undefined;
  return splice(text, start, afterLine(text, endOf(item)), "");
}

/** One element of `[a, b]` or `{a: 1, b: 2}`, with the comma that goes with it. */
function cutFlow(
  text: string,
  spans: readonly (readonly [number, number])[],
  index: number,
): string | undefined {
  const here = spans[index];
  const before = spans[index - 1];
  const after = spans[index + 1];
  if (here === undefined) return undefined;
  if (before !== undefined) return splice(text, before[1], here[1], "");
  return after === undefined ? undefined : splice(text, here[0], after[0], "");
}

/** A collection whose last element goes: `{}` or `[]` behind its key. */
function emptied(text: string, collection: YAMLMap | YAMLSeq, empty: string): string | undefined {
  const range = rangeOf(collection);
  if (range === undefined) return undefined;
  if (collection.flow === true) return splice(text, range[0], range[1], empty);
  const colon = text.lastIndexOf(":", range[0]);
  const first = lineStart(text, range[0]);
  if (colon < 0 || colon > first) return undefined;
  return `${text.slice(0, colon + 1)} ${empty}${text.slice(colon + 1, first)}${text.slice(afterLine(text, endOf(collection)))}`;
}

function insertLines(text: string, at: number, lines: readonly string[], eol: string): string {
  const gap = at > 0 && text[at - 1] !== "\n" ? eol : "";
  return splice(text, at, at, `${gap}${lines.join(eol)}${eol}`);
}

function pairOf(map: YAMLMap, key: string): Pair | undefined {
  return map.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === key);
}

/** Where a node's own text ends: not the comments and blank lines behind it. */
function endOf(node: unknown): number {
  if (isCollection(node) && node.flow !== true) {
    const last = node.items.at(-1);
    if (isPair(last)) return Math.max(endOf(last.value), endOf(last.key));
    if (last !== undefined) return endOf(last);
  }
  return rangeOf(node)?.[1] ?? 0;
}

function rangeOf(node: unknown): readonly [number, number, number] | undefined {
  if (typeof node !== "object" || node === null || !("range" in node)) return undefined;
  return (node.range ?? undefined) as [number, number, number] | undefined;
}

function toPlain(node: unknown): unknown {
  return isCollection(node) ? node.toJSON() : isScalar(node) ? node.value : undefined;
}

function lineStart(text: string, at: number): number {
  return text.lastIndexOf("\n", at - 1) + 1;
}

function afterLine(text: string, at: number): number {
  // A block scalar ends behind its last line break already.
  if (at > 0 && text[at - 1] === "\n") return at;
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end + 1;
}

function splice(text: string, start: number, end: number, replacement: string): string {
  return text.slice(0, start) + replacement + text.slice(end);
}

function eolOf(text: string): string {
  return text.includes("\r\n") ? "\r\n" : "\n";
}

/** A value on one line, quoted where YAML needs it. */
function scalar(value: unknown): string {
  return stringify(value, { collectionStyle: "flow", lineWidth: 0 }).trimEnd();
}
