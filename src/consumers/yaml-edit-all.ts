import { type Document, isMap, type YAMLMap } from "yaml";
import {
  addition,
  blockLines,
  checked,
  endOf,
  indentAt,
  pairOf,
  parseYaml,
  plainCopy,
  replacement,
  type Splice,
  setYaml,
  startOf,
  unitOf,
  withExpected,
  type YamlValue,
  yamlValue,
} from "./yaml-edit.ts";

/** One member to be set. */
export interface YamlEdit {
  readonly path: readonly string[];
  readonly value: YamlValue;
}

/**
 * As `setYaml` for each edit in turn, to the same bytes, but for many members the file is parsed a few times and not once for each. No path
 * may begin with another.
 */
export function setYamlAll(text: string, edits: readonly YamlEdit[], file: string): string {
  let edited = text;
  let left = edits;
  while (left.length > 1) {
    const document = parseYaml(edited, file);
    const { splices, later } = planSplices(edited, document, left);
    if (splices.length < 2) {
      const [first, ...rest] = left;
      if (first !== undefined) edited = setYaml(edited, first.path, first.value, file);
      left = rest;
      continue;
    }
    const done = left.filter((edit) => !later.includes(edit));
    const expected = done.reduce(withExpected, plainCopy(yamlValue(document, file)));
    // From the end, so that places stay; what goes to one place goes in its order.
    const ordered = splices.toReversed().sort((a, b) => b.start - a.start);
    for (const { start, end, lines } of ordered) edited = edited.slice(0, start) + lines + edited.slice(end);
    checked(edited, expected, file);
    left = later;
  }
  for (const { path, value } of left) edited = setYaml(edited, path, value, file);
  return edited;
}

/** The edits that can be made at once: new members of one mapping with a line for each, and values of members that are there. */
function planSplices(
  text: string,
  document: Document,
  edits: readonly YamlEdit[],
): { readonly splices: readonly Splice[]; readonly later: readonly YamlEdit[] } {
  const later: YamlEdit[] = [];
  const splices: Splice[] = [];
  const taken = new Map<YAMLMap, Set<string>>();
  for (const edit of edits) {
    const { map, depth } = deepest(document, edit.path);
    const key = edit.path[depth] ?? "";
    const last = map?.items.at(-1);
    // What stands on one line, or has nothing in it yet, has rules of its own; and a key that comes new is one for all that follow.
    if (map === undefined || map.flow === true || last === undefined || taken.get(map)?.has(key) === true) {
      later.push(edit);
      continue;
    }
    const pair = pairOf(map, key);
    if (pair !== undefined) {
      if (depth < edit.path.length - 1) later.push(edit);
      else splices.push(replacement(text, pair, edit.value));
      continue;
    }
    const indent = indentAt(text, startOf(map.items[0]?.key));
    const lines = blockLines(edit.path.slice(depth), edit.value, indent, unitOf(text));
    const splice = addition(text, endOf(last), lines);
    const known = taken.get(map);
    // Where a mapping and the one around it end together, their order matters.
    if (known === undefined && splices.some(({ start }) => start === splice.start)) later.push(edit);
    else {
      taken.set(map, (known ?? new Set()).add(key));
      splices.push(splice);
    }
  }
  return { splices, later };
}

/** The last mapping on a path, and how many of its keys led there. */
function deepest(
  document: Document,
  path: readonly string[],
): { readonly map: YAMLMap | undefined; readonly depth: number } {
  let map: unknown = document.contents;
  for (let depth = 0; depth < path.length - 1 && isMap(map); depth++) {
    const next: unknown = pairOf(map, path[depth] ?? "")?.value;
    if (!isMap(next)) return { map, depth };
    map = next;
  }
  return isMap(map) ? { map, depth: path.length - 1 } : { map: undefined, depth: 0 };
}
