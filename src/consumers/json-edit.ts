import { AppError } from "#core";
import {
  fieldOf,
  type JsonMember,
  type JsonNode,
  type JsonObject,
  lineAndColumn,
  memberOf,
  parseJsonText,
} from "./json-text.ts";

/** A value that is written into a file. */
export type JsonValue = string | { readonly [key: string]: JsonValue };

/**
 * Sets one member of a JSON text and changes nothing else: order, indentation, line ends and every other byte stay.
 * `path` goes from the root; objects on the way are made where they are missing or null. The first step is found as Go finds
 * a field (`Auths` is `auths`), later ones exactly. Throws FILE_INVALID where the path leads through something that is no object.
 */
export function setJson(
  text: string,
  path: readonly [string, ...string[]],
  value: JsonValue,
  file: string,
): string {
  const root = parseJsonText(text, file);
  const style = styleOf(text, root);
  let object: JsonObject = root;
  for (const [depth, key] of path.entries()) {
    const member: JsonMember | undefined = find(object, key, depth);
    const rest = path.slice(depth + 1);
    const wanted = rest.reduceRight<JsonValue>((inner, name) => ({ [name]: inner }), value);
    if (member === undefined) return insert(text, object, [{ key, value: wanted }], style);
    const isHole = member.value.kind === "literal" && member.value.value === null;
    if (rest.length === 0 || isHole) return replace(text, member.value, wanted, style);
    if (member.value.kind !== "object") throw notAnObject(text, member, file);
    object = member.value;
  }
  return text;
}

/**
 * Puts new members into one of the root's objects: the same bytes as `setJson` for each in turn, and the text is parsed twice at most. None
 * of them may be there already.
 */
export function addJson(
  text: string,
  section: string,
  members: readonly { readonly key: string; readonly value: JsonValue }[],
  file: string,
): string {
  const [first, ...rest] = members;
  if (first === undefined) return text;
  const root = parseJsonText(text, file);
  const object = find(root, section, 0)?.value;
  if (object?.kind === "object" && object.members.length > 0)
    return insert(text, object, members, styleOf(text, root));
  return addJson(setJson(text, [section, first.key], first.value, file), section, rest, file);
}

/** Removes one member and the comma that belongs to it; the same text when it is not there. Found like `setJson` finds it. */
export function removeJson(text: string, path: readonly [string, ...string[]], file: string): string {
  let object: JsonNode = parseJsonText(text, file);
  for (const [depth, key] of path.entries()) {
    if (object.kind !== "object") return text;
    const member: JsonMember | undefined = find(object, key, depth);
    if (member === undefined) return text;
    if (depth === path.length - 1) return cut(text, object, object.members.indexOf(member));
    object = member.value;
  }
  return text;
}

interface Style {
  /** One level: a tab where the file shows none, as Docker and Podman write. */
  readonly unit: string;
  readonly newline: string;
  readonly colon: string;
  readonly multiline: boolean;
}

function styleOf(text: string, root: JsonObject): Style {
  const newline = text.includes("\r\n") ? "\r\n" : "\n";
  const first = root.members[0];
  if (first === undefined) return { unit: "\t", newline, colon: ": ", multiline: true };
  const unit = unitOf(text, root);
  const colon = text.slice(first.keyEnd, first.value.start);
  return { unit: unit ?? "\t", newline, colon, multiline: unit !== undefined };
}

/** How much deeper than its own line the first object with a line for each member sets them; undefined when there is none. */
function unitOf(text: string, object: JsonObject): string | undefined {
  const first = object.members[0];
  if (first === undefined) return undefined;
  const lead = text.slice(object.start + 1, first.start);
  if (lead.includes("\n")) {
    const indent = lead.slice(lead.lastIndexOf("\n") + 1);
    const own = indentAt(text, object.start);
    if (indent.startsWith(own) && indent !== own) return indent.slice(own.length);
  }
  for (const { value } of object.members) {
    const unit = value.kind === "object" ? unitOf(text, value) : undefined;
    if (unit !== undefined) return unit;
  }
  return undefined;
}

function find(object: JsonObject, key: string, depth: number): JsonMember | undefined {
  return depth === 0 ? fieldOf(object, key) : memberOf(object, key);
}

function render(value: JsonValue, indent: string, style: Style): string {
  if (typeof value === "string") return JSON.stringify(value);
  const members = Object.entries(value);
  if (members.length === 0) return "{}";
  const inner = style.multiline ? indent + style.unit : "";
  const body = members.map(([key, item]) => JSON.stringify(key) + style.colon + render(item, inner, style));
  if (!style.multiline) return `{${body.join(style.colon.endsWith(" ") ? ", " : ",")}}`;
  const open = style.newline + inner;
  return `{${open}${body.join(`,${open}`)}${style.newline}${indent}}`;
}

function replace(text: string, node: JsonNode, value: JsonValue, style: Style): string {
  return text.slice(0, node.start) + render(value, indentAt(text, node.start), style) + text.slice(node.end);
}

function insert(
  text: string,
  object: JsonObject,
  entries: readonly { readonly key: string; readonly value: JsonValue }[],
  style: Style,
): string {
  const first = object.members[0];
  const last = object.members.at(-1);
  if (first === undefined || last === undefined) {
    const indent = indentAt(text, object.start);
    const whole = render(Object.fromEntries(entries.map(({ key, value }) => [key, value])), indent, style);
    return text.slice(0, object.start) + whole + text.slice(object.end);
  }
  const lead = text.slice(object.start + 1, first.start);
  const here: Style = { ...style, multiline: lead.includes("\n") };
  const second = object.members[1];
  // What stands between two members of this object; of one member alone, what stands before it.
  const between = second === undefined ? lead : text.slice(text.indexOf(",", first.end) + 1, second.start);
  const gap = between === "" && here.colon.endsWith(" ") && !here.multiline ? " " : between;
  const indent = gap.slice(gap.lastIndexOf("\n") + 1);
  const added = entries.map(
    ({ key, value }) => `,${gap}${JSON.stringify(key)}${style.colon}${render(value, indent, here)}`,
  );
  return text.slice(0, last.end) + added.join("") + text.slice(last.end);
}

function cut(text: string, object: JsonObject, index: number): string {
  const member = object.members[index];
  const next = object.members[index + 1];
  const previous = object.members[index - 1];
  if (member === undefined) return text;
  if (previous !== undefined) return text.slice(0, previous.end) + text.slice(member.end);
  if (next !== undefined) return text.slice(0, member.start) + text.slice(next.start);
  return `${text.slice(0, object.start)}{}${text.slice(object.end)}`;
}

/** White space at the beginning of the line that holds this offset. */
function indentAt(text: string, offset: number): string {
  const line = text.slice(text.lastIndexOf("\n", offset - 1) + 1, offset);
  return /^[ \t]*/.exec(line)?.[0] ?? "";
}

function notAnObject(text: string, member: JsonMember, file: string): AppError {
  const { line, column } = lineAndColumn(text, member.value.start);
  return new AppError("FILE_INVALID", `${file}:${line}:${column}: an object was expected here`, {
    hint: "mend the file or move it away; wharf left it as it is",
  });
}
