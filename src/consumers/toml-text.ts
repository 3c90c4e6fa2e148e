import { AppError } from "#core";
import { lineAndColumn } from "./json-text.ts";

/** A value of a TOML file; dates and numbers as the text that stands there. */
export type TomlValue = string | boolean | TomlNumber | readonly TomlValue[] | TomlTable;

/** A number or a date, as it is written. */
export interface TomlNumber {
  readonly source: string;
}

export type TomlTable = ReadonlyMap<string, TomlValue>;

/** A header of a table, or a key with its value: where its lines stand in the text, line ends included. */
export interface TomlStatement {
  readonly kind: "table" | "list" | "pair";
  /** From the root; a pair's own keys are at the end. */
  readonly keys: readonly string[];
  readonly start: number;
  readonly end: number;
}

type Growing = Map<string, TomlValue>;

const MAX_BYTES = 4 * 1024 * 1024;
const MAX_DEPTH = 64;

/** Bytes of a TOML file as text. Throws FILE_INVALID when they are not UTF-8 or too many. */
export function readTomlText(bytes: Uint8Array, path: string): string {
  if (bytes.length > MAX_BYTES) throw invalid(path, `it is larger than ${MAX_BYTES} bytes`);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw invalid(path, "it is not UTF-8 text", cause);
  }
}

/**
 * Parses TOML 1.0. Throws FILE_INVALID with line and column, never with content, for anything else: a key that stands twice and a table
 * that is opened twice too, since programs refuse such a file.
 */
export function parseTomlText(text: string, path: string): TomlTable {
  return new Parser(text, path).document();
}

/** A text with what it says, and with its statements in their order: for edits that leave all other bytes. */
export interface TomlDocument {
  readonly text: string;
  readonly table: TomlTable;
  readonly statements: readonly TomlStatement[];
}

/** Throws as `parseTomlText`. */
export function parseTomlDocument(text: string, path: string): TomlDocument {
  const parser = new Parser(text, path);
  return { text, table: parser.document(), statements: parser.statements };
}

/** The value under a path of keys; undefined where there is none, or a table of tables stands in the way. */
export function tomlAt(table: TomlTable, path: readonly string[]): TomlValue | undefined {
  let at: TomlValue | undefined = table;
  for (const key of path) at = at instanceof Map ? (at as TomlTable).get(key) : undefined;
  return at;
}

function invalid(where: string, why: string, cause?: unknown): AppError {
  return new AppError("FILE_INVALID", `${where}: ${why}`, {
    hint: "mend the file or move it away; wharf left it as it is",
    ...(cause === undefined ? {} : { cause }),
  });
}

class Parser {
  readonly #text: string;
  readonly #path: string;
  #at = 0;
  /** Tables that a header or an inline table has closed: nobody may add to them from elsewhere. */
  readonly #opened = new Set<unknown>();
  readonly #closed = new Set<unknown>();
  readonly #dotted = new Set<unknown>();
  readonly #lists = new Set<unknown>();
  readonly statements: TomlStatement[] = [];

  constructor(text: string, path: string) {
    this.#text = text;
    this.#path = path;
  }

  document(): TomlTable {
    const root: Growing = new Map();
    let table = root;
    let above: readonly string[] = [];
    for (;;) {
      this.#blank();
      if (this.#at >= this.#text.length) return root;
      const start = this.#text.lastIndexOf("\n", this.#at) + 1;
      let kind: TomlStatement["kind"] = "pair";
      let keys: readonly string[];
      if (this.#text[this.#at] === "[") {
        kind = this.#text.startsWith("[[", this.#at) ? "list" : "table";
        ({ table, keys } = this.#header(root));
        above = keys;
      } else keys = [...above, ...this.#pair(table, 0)];
      this.#lineEnd();
      this.statements.push({ kind, keys, start, end: this.#at });
    }
  }

  #fault(why: string, offset = this.#at): AppError {
    const { line, column } = lineAndColumn(this.#text, offset);
    return invalid(`${this.#path}:${line}:${column}`, why);
  }

  #header(root: Growing): { readonly table: Growing; readonly keys: readonly string[] } {
    const start = this.#at;
    const isList = this.#text.startsWith("[[", this.#at);
    this.#at += isList ? 2 : 1;
    const keys = this.#keys();
    if (!this.#take(isList ? "]]" : "]")) throw this.#fault("the end of this table's name was expected here");
    const last = keys.at(-1) ?? "";
    let table = root;
    for (const key of keys.slice(0, -1)) table = this.#step(table, key, start);
    const there = table.get(last);
    if (isList) return { table: this.#append(table, last, there, start), keys };
    if (there === undefined) {
      const fresh: Growing = new Map();
      table.set(last, fresh);
      this.#opened.add(fresh);
      return { table: fresh, keys };
    }
    const isFree =
      there instanceof Map && ![this.#opened, this.#closed, this.#dotted].some((set) => set.has(there));
    if (!isFree) throw this.#fault("this table stands twice", start);
    this.#opened.add(there);
    return { table: there as Growing, keys };
  }

  #append(table: Growing, key: string, there: TomlValue | undefined, start: number): Growing {
    if (there !== undefined && !this.#lists.has(there))
      throw this.#fault("this name is something else already", start);
    const fresh: Growing = new Map();
    const list = [...((there as readonly TomlValue[] | undefined) ?? []), fresh];
    this.#lists.add(list);
    table.set(key, list);
    this.#opened.add(fresh);
    return fresh;
  }

  /** The table of that name, the last one of a list of tables, or a new one. */
  #step(table: Growing, key: string, start: number): Growing {
    const there = table.get(key);
    if (there === undefined) {
      const fresh: Growing = new Map();
      table.set(key, fresh);
      return fresh;
    }
    const next = this.#lists.has(there) ? (there as readonly TomlValue[]).at(-1) : there;
    if (!(next instanceof Map) || this.#closed.has(next))
      throw this.#fault("a part of this name is no table", start);
    return next as Growing;
  }

  #pair(into: Growing, depth: number): readonly string[] {
    const start = this.#at;
    const keys = this.#keys();
    const last = keys.at(-1) ?? "";
    let table = into;
    for (const key of keys.slice(0, -1)) {
      table = this.#step(table, key, start);
      if (this.#opened.has(table)) throw this.#fault("this table has a header of its own", start);
      this.#dotted.add(table);
    }
    if (!this.#take("=")) throw this.#fault('a "=" was expected here');
    this.#space();
    if (table.has(last)) throw this.#fault("this key stands twice", start);
    table.set(last, this.#value(depth));
    return keys;
  }

  #keys(): string[] {
    const keys: string[] = [];
    do {
      this.#space();
      keys.push(this.#key());
      this.#space();
    } while (this.#take("."));
    return keys;
  }

  #key(): string {
    const quote = this.#text[this.#at];
    if (quote === '"' || quote === "'") {
      if (this.#text.startsWith(quote.repeat(3), this.#at))
        throw this.#fault("a key has one quote on each side");
      return this.#string();
    }
    const bare = this.#match(/[A-Za-z0-9_-]+/y);
    if (bare === undefined) throw this.#fault("a key was expected here");
    return bare;
  }

  #value(depth: number): TomlValue {
    if (depth > MAX_DEPTH) throw this.#fault(`it is nested deeper than ${MAX_DEPTH}`);
    const first = this.#text[this.#at];
    if (first === '"' || first === "'") return this.#string();
    if (first === "[") return this.#array(depth);
    if (first === "{") return this.#inline(depth);
    const word = this.#match(/(?:true|false)(?![\w.+-])/y);
    if (word !== undefined) return word === "true";
    const source = this.#match(
      /(?:\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)?)?|\d\d:\d\d:\d\d(?:\.\d+)?|0x[\da-fA-F](?:_?[\da-fA-F])*|0o[0-7](?:_?[0-7])*|0b[01](?:_?[01])*|[+-]?(?:inf|nan|(?:0|[1-9](?:_?\d)*)(?:\.\d(?:_?\d)*)?(?:[eE][+-]?\d(?:_?\d)*)?))(?![\w.+-])/y,
    );
    if (source === undefined) throw this.#fault("a value was expected here");
    return { source };
  }

  #array(depth: number): TomlValue {
    const items: TomlValue[] = [];
    this.#at++;
    for (;;) {
      this.#blank();
      if (this.#take("]")) return items;
      items.push(this.#value(depth + 1));
      this.#blank();
      if (this.#take(",")) continue;
      if (this.#take("]")) return items;
      throw this.#fault('a "," or "]" was expected here');
    }
  }

  #inline(depth: number): TomlValue {
    const table: Growing = new Map();
    this.#at++;
    this.#space();
    if (!this.#take("}"))
      for (;;) {
        this.#pair(table, depth + 1);
        this.#space();
        if (this.#take("}")) break;
        if (!this.#take(",")) throw this.#fault('a "," or "}" was expected here');
      }
    this.#close(table);
    return table;
  }

  #close(table: TomlTable): void {
    this.#closed.add(table);
    for (const value of table.values()) if (value instanceof Map) this.#close(value as TomlTable);
  }

  #string(): string {
    const start = this.#at;
    // Up to two quotes may stand before the three that end a text of many lines.
    const many = this.#match(/"""(?:\r?\n)?((?:[^"\\]|\\[^]|"(?!"")|"(?="""))*)"""/y, 1);
    if (many !== undefined) return this.#unescape(many, start, true);
    const raw = this.#match(/'''(?:\r?\n)?((?:[^']|'(?!'')|'(?='''))*)'''/y, 1);
    if (raw !== undefined) return this.#checked(raw, start, true);
    const basic = this.#match(/"((?:[^"\\\n]|\\[^\n])*)"/y, 1);
    if (basic !== undefined) return this.#unescape(basic, start, false);
    const literal = this.#match(/'([^'\n]*)'/y, 1);
    if (literal !== undefined) return this.#checked(literal, start, false);
    throw this.#fault("this text does not end");
  }

  #checked(text: string, start: number, isLong: boolean): string {
    const plain = isLong ? text.replace(/\r?\n/g, "") : text;
    // Control characters but the tab; those above 0x7f TOML allows.
    if (/[^\P{Cc}\t\u0080-\u009f]/u.test(plain))
      throw this.#fault("this text has a character that TOML does not allow", start);
    return text;
  }

  #unescape(text: string, start: number, isLong: boolean): string {
    return this.#checked(text, start, isLong).replace(ESCAPE, (whole, code?: string) => {
      // A line that ends in a backslash goes on behind the white space of the next.
      if (code === undefined && isLong && whole.includes("\n")) return "";
      if (code === undefined) throw this.#fault("this text has an escape that TOML does not know", start);
      const plain = ESCAPES[code];
      if (plain !== undefined) return plain;
      const point = code.length > 1 ? Number.parseInt(code.slice(1), 16) : Number.NaN;
      if (!(point <= 0x10_ff_ff) || (point >= 0xd8_00 && point <= 0xdf_ff))
        throw this.#fault("this text has an escape that TOML does not know", start);
      return String.fromCodePoint(point);
    });
  }

  #space(): void {
    while (this.#text[this.#at] === " " || this.#text[this.#at] === "\t") this.#at++;
  }

  #blank(): void {
    this.#match(/(?:[ \t\n]|\r\n|#[^\n]*)*/y);
  }

  #lineEnd(): void {
    if (this.#match(/[ \t]*(?:#[^\n]*)?(?:\r?\n|$)/y) === undefined)
      throw this.#fault("the line should end here");
  }

  #take(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #match(pattern: RegExp, group = 0): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found === null) return undefined;
    this.#at = pattern.lastIndex;
    return found[group];
  }
}

const ESCAPE = /\\(?:[ \t]*\r?\n\s*|(u[\da-fA-F]{4}|U[\da-fA-F]{8}|[^\n]))/g;

const ESCAPES: Readonly<Record<string, string>> = {
  b: "\b",
  t: "\t",
  n: "\n",
  f: "\f",
  r: "\r",
  '"': '"',
  "\\": "\\",
};
