import { AppError } from "#core";
import { onceForBytes } from "./once-for-bytes.ts";

/** A value with the place where it stands: `start` inclusive, `end` exclusive, in UTF-16 units. */
export type JsonNode =
  | {
      readonly kind: "object";
      readonly start: number;
      readonly end: number;
      readonly members: readonly JsonMember[];
    }
  | {
      readonly kind: "array";
      readonly start: number;
      readonly end: number;
      readonly items: readonly JsonNode[];
    }
  | { readonly kind: "string"; readonly start: number; readonly end: number; readonly value: string }
  | {
      readonly kind: "literal";
      readonly start: number;
      readonly end: number;
      readonly value: number | boolean | null;
    };

export type JsonObject = Extract<JsonNode, { kind: "object" }>;

export interface JsonMember {
  readonly key: string;
  /** Where the key's opening quote stands. */
  readonly start: number;
  readonly keyEnd: number;
  /** Where the value ends. */
  readonly end: number;
  readonly value: JsonNode;
}

/** Largest file that is looked at. A config.json with a thousand logins has a tenth of it. */
const MAX_BYTES = 4 * 1024 * 1024;
const MAX_DEPTH = 64;

/**
 * Bytes of a program's JSON file as text. Throws FILE_INVALID when they are not UTF-8, begin with a byte order mark
 * (Go's parser, which most of these programs have, takes neither) or are too many.
 */
export function readJsonText(bytes: Uint8Array, path: string): string {
  if (bytes.length > MAX_BYTES) throw invalid(path, `it is larger than ${MAX_BYTES} bytes`);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw invalid(path, "it is not UTF-8 text", cause);
  }
  if (text.startsWith("\uFEFF")) throw invalid(`${path}:1:1`, "it begins with a byte order mark");
  return text;
}

/**
 * Parses strict JSON (RFC 8259) whose root is an object, keeping places. Throws FILE_INVALID with line and column, never with
 * content: for anything that is not JSON, comments included, and for a key that stands twice in one object, since programs
 * differ in which of the two they take.
 */
export function parseJsonText(text: string, path: string): JsonObject {
  const scanner = new Scanner(text, path);
  const root = scanner.value(0);
  scanner.end();
  if (root.kind !== "object") throw scanner.fault(root.start, "a JSON object was expected here");
  return root;
}

/** `parseJsonText` for a file's bytes; the same bytes are parsed once. */
export const parseJsonBytes: (bytes: Uint8Array, path: string) => JsonObject = onceForBytes((bytes, path) =>
  parseJsonText(readJsonText(bytes, path), path),
);

/** The member of that name, exactly spelled. */
export function memberOf(node: JsonNode | undefined, key: string): JsonMember | undefined {
  return node?.kind === "object" ? node.members.find((member) => member.key === key) : undefined;
}

/**
 * The member of that name as Go's encoding/json finds a struct's field: upper and lower case are the same
 * (`"Auths"` is `auths` to Docker, Podman and the kubelet).
 */
export function fieldOf(node: JsonNode | undefined, name: string): JsonMember | undefined {
  if (node?.kind !== "object") return undefined;
  const folded = name.toLowerCase();
  return (
    node.members.find((member) => member.key === name) ??
    node.members.find((member) => member.key.toLowerCase() === folded)
  );
}

/** The string that stands in a field; undefined when it is not there or no string. */
export function stringField(node: JsonNode | undefined, name: string): string | undefined {
  const value = fieldOf(node, name)?.value;
  return value?.kind === "string" ? value.value : undefined;
}

/** Line and column, both from 1. */
export function lineAndColumn(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  const line = before.split("\n").length;
  return { line, column: offset - before.lastIndexOf("\n") };
}

function invalid(where: string, why: string, cause?: unknown): AppError {
  return new AppError("FILE_INVALID", `${where}: ${why}`, {
    hint: "mend the file or move it away; wharf left it as it is",
    ...(cause === undefined ? {} : { cause }),
  });
}

class Scanner {
  readonly #text: string;
  readonly #path: string;
  #at = 0;

  constructor(text: string, path: string) {
    this.#text = text;
    this.#path = path;
  }

  fault(offset: number, why: string): AppError {
    const { line, column } = lineAndColumn(this.#text, offset);
    return invalid(`${this.#path}:${line}:${column}`, why);
  }

  end(): void {
    this.#space();
    if (this.#at < this.#text.length) throw this.fault(this.#at, "text stands after the end of the JSON");
  }

  value(depth: number): JsonNode {
    if (depth > MAX_DEPTH) throw this.fault(this.#at, `it is nested deeper than ${MAX_DEPTH}`);
    this.#space();
    const start = this.#at;
    const char = this.#text[start];
    if (char === "{") return this.#object(start, depth);
    if (char === "[") return this.#array(start, depth);
    if (char === '"') return { kind: "string", start, value: this.#string(), end: this.#at };
    return this.#literal(start);
  }

  #space(): void {
    while (this.#at < this.#text.length && " \t\r\n".includes(this.#text[this.#at] ?? "x")) this.#at++;
  }

  #object(start: number, depth: number): JsonNode {
    const members: JsonMember[] = [];
    const seen = new Set<string>();
    this.#at++;
    this.#space();
    if (this.#text[this.#at] === "}") return { kind: "object", start, members, end: ++this.#at };
    for (;;) {
      this.#space();
      const keyStart = this.#at;
      if (this.#text[keyStart] !== '"')
        throw this.fault(keyStart, "a key in double quotes was expected here");
      const key = this.#string();
      if (seen.has(key)) throw this.fault(keyStart, "this key stands twice in the same object");
      seen.add(key);
      const keyEnd = this.#at;
      this.#space();
      if (this.#text[this.#at] !== ":") throw this.fault(this.#at, 'a ":" was expected here');
      this.#at++;
      const value = this.value(depth + 1);
      members.push({ key, start: keyStart, keyEnd, value, end: value.end });
      if (this.#closes("}")) return { kind: "object", start, members, end: this.#at };
    }
  }

  #array(start: number, depth: number): JsonNode {
    const items: JsonNode[] = [];
    this.#at++;
    this.#space();
    if (this.#text[this.#at] === "]") return { kind: "array", start, items, end: ++this.#at };
    for (;;) {
      items.push(this.value(depth + 1));
      if (this.#closes("]")) return { kind: "array", start, items, end: this.#at };
    }
  }

  /** After an item: true at the closing bracket, false at a comma. */
  #closes(bracket: string): boolean {
    this.#space();
    const char = this.#text[this.#at];
    if (char !== "," && char !== bracket)
      throw this.fault(this.#at, `a "," or "${bracket}" was expected here`);
    this.#at++;
    return char === bracket;
  }

  #string(): string {
    const start = this.#at;
    const found = /"(?:[\u0020\u0021\u0023-\u005B\u005D-\uFFFF]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
    found.lastIndex = start;
    const match = found.exec(this.#text);
    if (match === null)
      throw this.fault(start, "this string does not end, or has a character that JSON does not allow");
    this.#at = found.lastIndex;
    return JSON.parse(match[0]) as string;
  }

  #literal(start: number): JsonNode {
    const found = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.+-])/y;
    found.lastIndex = start;
    const match = found.exec(this.#text);
    if (match === null) throw this.fault(start, "this is not JSON");
    this.#at = found.lastIndex;
    return { kind: "literal", start, end: this.#at, value: JSON.parse(match[0]) as number | boolean | null };
  }
}
