import { isMap, type Node, type YAMLSeq } from "yaml";

/** An item to be added, in the form that the sequence has: its lines without the dash, or in braces on one line. */
export interface SequenceItem {
  readonly block: readonly string[];
  readonly flow: string;
}

/**
 * Adds an item at the end of a sequence that has one already, or of an empty `[]`; every other byte stays. The caller parses the outcome
 * again and compares: a form that text edits do not serve (a dash on a line of its own) comes out wrong.
 */
export function appendItem(text: string, sequence: YAMLSeq, item: SequenceItem): string {
  const last = sequence.items.at(-1) as Node | undefined;
  if (sequence.flow === true || last === undefined) {
    const at = last === undefined ? startOf(sequence) + 1 : endOf(text, last);
    return `${text.slice(0, at)}${last === undefined ? "" : ", "}${item.flow}${text.slice(at)}`;
  }
  const indent = dashIndent(text, last);
  const lines = item.block.map((line, index) => `${indent}${index === 0 ? "- " : "  "}${line}`);
  return insertLines(text, endOf(text, last), lines);
}

/** Takes one item out, with its whole lines where it stands in lines of its own. Checked by the caller too. */
export function cutItem(text: string, sequence: YAMLSeq, index: number): string {
  const item = sequence.items[index] as Node;
  if (sequence.flow === true) {
    const previous = sequence.items[index - 1] as Node | undefined;
    const next = sequence.items[index + 1] as Node | undefined;
    if (previous !== undefined) return text.slice(0, endOf(text, previous)) + text.slice(endOf(text, item));
    return text.slice(0, startOf(item)) + text.slice(next === undefined ? endOf(text, item) : startOf(next));
  }
  const from = text.lastIndexOf("\n", startOf(item) - 1) + 1;
  const newline = text.indexOf("\n", endOf(text, item));
  if (newline >= 0) return text.slice(0, from) + text.slice(newline + 1);
  return text.slice(0, from).replace(/\r?\n$/, "");
}

/** Puts whole lines behind the line of an offset, with the file's own line ends. */
export function insertLines(text: string, offset: number, lines: readonly string[]): string {
  const eol = text.includes("\r\n") ? "\r\n" : "\n";
  const newline = text.indexOf("\n", offset);
  if (newline < 0) return text + lines.map((line) => eol + line).join("");
  return text.slice(0, newline + 1) + lines.map((line) => line + eol).join("") + text.slice(newline + 1);
}

/** Where a node begins. */
export function startOf(node: Node): number {
  return node.range?.[0] ?? 0;
}

/** Where its last character stands, blank lines and comments behind it left out. */
export function endOf(text: string, node: Node): number {
  const start = startOf(node);
  // The parser lets a mapping or sequence in lines reach to the next thing; its last child knows better.
  const inner = lastChild(node);
  if (inner !== undefined) return endOf(text, inner);
  return start + text.slice(start, node.range?.[1] ?? start).trimEnd().length;
}

function lastChild(node: Node): Node | undefined {
  if (!("items" in node) || ("flow" in node && node.flow === true)) return undefined;
  const last = (node.items as unknown[]).at(-1);
  if (!isMap(node)) return last as Node | undefined;
  const pair = last as { readonly key: Node; readonly value: Node | null } | undefined;
  // A key with nothing behind it.
  return pair?.value?.range ? pair.value : pair?.key;
}

/** White space before the dash of an item in lines. */
function dashIndent(text: string, item: Node): string {
  const from = text.lastIndexOf("\n", startOf(item) - 1) + 1;
  return /^[ ]*/.exec(text.slice(from, startOf(item)))?.[0] ?? "";
}
