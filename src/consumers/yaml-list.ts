import { isMap, isScalar, isSeq, type Pair, type YAMLMap, type YAMLSeq } from "yaml";
import { AppError } from "#core";
import {
  appendAtEnd,
  checked,
  cutPair,
  endOf,
  indentAt,
  insertAfter,
  isNothing,
  keyEnd,
  pairOf,
  parseYaml,
  startOf,
  unitOf,
  yamlValue,
} from "./yaml-edit.ts";

/** An item of a list of names: `- regcred.yaml`, or `- name: regcred` where `field` is `name`. */
export interface YamlItem {
  readonly name: string;
  readonly field?: string;
}

/**
 * Puts a name at the end of the list under `path`, and leaves every other byte; the same text where it is in the list. The list is made
 * where it is missing, the mapping above it must be there. Throws FILE_INVALID where it is no list, or written in a form that text edits do not serve.
 */
export function addYamlItem(text: string, path: readonly string[], item: YamlItem, file: string): string {
  const spot = findList(text, path, file);
  if (spot.list !== undefined && spot.list.items.some((node) => isItem(node, item))) return text;
  const expected = withNames(text, path, file, (names) => [...names, plainItem(item)]);
  return checked(inserted(text, spot, item), expected, file);
}

/** Takes a name out of the list under `path`, and the list when that empties it; the same text when it is not there. Throws as `addYamlItem`. */
export function removeYamlItem(text: string, path: readonly string[], item: YamlItem, file: string): string {
  const { map, pair, list } = findList(text, path, file);
  const index = list?.items.findIndex((node) => isItem(node, item)) ?? -1;
  if (map === undefined || pair === undefined || list === undefined || index < 0) return text;
  const expected = withNames(text, path, file, (names) => names.filter((_, at) => at !== index));
  if (list.items.length === 1) return checked(cutPair(text, map, pair), expected, file);
  return checked(cutItem(text, list, index), expected, file);
}

/** The names of the list under `path`, in order; items of another form are left out. Throws FILE_INVALID where it is no list. */
export function yamlItems(
  text: string,
  path: readonly string[],
  field: string | undefined,
  file: string,
): readonly string[] {
  return (findList(text, path, file).list?.items ?? []).flatMap((node) => nameOf(node, field) ?? []);
}

interface Spot {
  readonly map: YAMLMap | undefined;
  readonly key: string;
  readonly pair: Pair | undefined;
  readonly list: YAMLSeq | undefined;
}

function findList(text: string, path: readonly string[], file: string): Spot {
  const key = path.at(-1) ?? "";
  let node: unknown = parseYaml(text, file).contents;
  if (path.length === 1 && isNothing(node)) return { map: undefined, key, pair: undefined, list: undefined };
  for (const step of path.slice(0, -1)) node = isMap(node) ? pairOf(node, step)?.value : undefined;
  if (!isMap(node)) throw invalid(file, `it has no ${path.slice(0, -1).join(".")} to put ${key} into`);
  const pair = pairOf(node, key);
  if (pair === undefined || isNothing(pair.value)) return { map: node, key, pair, list: undefined };
  if (!isSeq(pair.value)) throw invalid(file, `${key} is no list`);
  return { map: node, key, pair, list: pair.value };
}

function inserted(text: string, { map, key, pair, list }: Spot, item: YamlItem): string {
  // In double quotes throughout: JSON is YAML, and stays JSON.
  const flow = JSON.stringify(plainItem(item));
  const unit = unitOf(text);
  if (map === undefined) return appendAtEnd(text, [`${key}:`, `${unit}- ${blockItem(item)}`]);
  const last = list?.items.at(-1);
  if (list?.flow === true) {
    const at = last === undefined ? startOf(list) + 1 : rangeEnd(last);
    return `${text.slice(0, at)}${last === undefined ? "" : ", "}${flow}${text.slice(at)}`;
  }
  if (list !== undefined && last !== undefined) {
    const dash = `${indentAt(text, startOf(list))}- ${blockItem(item)}`;
    return insertAfter(text, rangeEnd(list), [dash]);
  }
  if (pair !== undefined) {
    const colon = text.indexOf(":", keyEnd(pair)) + 1;
    return `${text.slice(0, colon)} [${flow}]${text.slice(Math.max(colon, endOf(pair)))}`;
  }
  const before = map.items.at(-1);
  if (map.flow === true) {
    const at = before === undefined ? startOf(map) + 1 : endOf(before);
    return `${text.slice(0, at)}${before === undefined ? "" : ", "}${JSON.stringify(key)}: [${flow}]${text.slice(at)}`;
  }
  const indent = before === undefined ? "" : indentAt(text, startOf(map.items[0]?.key));
  const lines = [`${indent}${key}:`, `${indent}${unit}- ${blockItem(item)}`];
  return before === undefined ? appendAtEnd(text, lines) : insertAfter(text, endOf(before), lines);
}

function cutItem(text: string, list: YAMLSeq, index: number): string {
  const node = list.items[index];
  const start = startOf(node);
  const end = start + text.slice(start, rangeEnd(node)).trimEnd().length;
  if (list.flow === true) {
    const previous = list.items[index - 1];
    const next = list.items[index + 1];
    if (previous !== undefined) return text.slice(0, rangeEnd(previous)) + text.slice(end);
    return text.slice(0, start) + text.slice(next === undefined ? end : startOf(next));
  }
  const from = text.lastIndexOf("\n", text.lastIndexOf("-", start - 1)) + 1;
  const newline = text.indexOf("\n", end);
  if (newline >= 0) return text.slice(0, from) + text.slice(newline + 1);
  return text.slice(0, from).replace(/\r?\n$/, "");
}

/** The whole file as values, with the list changed: what the edited text must say. */
function withNames(
  text: string,
  path: readonly string[],
  file: string,
  change: (names: readonly unknown[]) => readonly unknown[],
): unknown {
  const value = structuredClone(yamlValue(parseYaml(text, file), file) ?? {}) as Record<string, unknown>;
  let at = value;
  for (const step of path.slice(0, -1)) at = at[step] as Record<string, unknown>;
  const key = path.at(-1) ?? "";
  const changed = change(Array.isArray(at[key]) ? (at[key] as unknown[]) : []);
  if (changed.length === 0) delete at[key];
  else at[key] = changed;
  return value;
}

function isItem(node: unknown, item: YamlItem): boolean {
  return nameOf(node, item.field) === item.name;
}

function nameOf(node: unknown, field: string | undefined): string | undefined {
  const value: unknown = field === undefined ? node : isMap(node) ? pairOf(node, field)?.value : undefined;
  return isScalar(value) && typeof value.value === "string" ? value.value : undefined;
}

function plainItem({ name, field }: YamlItem): unknown {
  return field === undefined ? name : { [field]: name };
}

function blockItem({ name, field }: YamlItem): string {
  const shown = isPlain(name) ? name : JSON.stringify(name);
  return field === undefined ? shown : `${field}: ${shown}`;
}

/** Not one of the words and numbers that YAML takes for something else. */
function isPlain(name: string): boolean {
  return /^[a-z][a-z0-9./-]*$/.test(name) && !/^(?:true|false|null|yes|no|on|off|y|n)$/.test(name);
}

function rangeEnd(node: unknown): number {
  if (typeof node !== "object" || node === null || !("range" in node) || !Array.isArray(node.range)) return 0;
  return Number(node.range[1]);
}

function invalid(where: string, why: string): AppError {
  return new AppError("FILE_INVALID", `${where}: ${why}`, {
    hint: "mend the file or move it away; wharf left it as it is",
  });
}
