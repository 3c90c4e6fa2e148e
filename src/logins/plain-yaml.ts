import { Pair, Scalar, YAMLMap, YAMLSeq } from "yaml";

/**
 * A mapping written as people write wharf.yaml, as the same nodes, at the same places, that the YAML library makes of it: keys that are
 * names, texts of one word or in quotes, lists and braces on one line, comments. undefined for anything else, whatever is wrong or only
 * unusual: that is the library's to read. It is here for the time: the library takes longer for a small file than all else that a
 * credential helper does.
 */
export function readPlainYaml(text: string): YAMLMap | undefined {
  const lines = splitLines(text);
  if (lines === undefined || lines[0]?.indent !== 0) return undefined;
  try {
    const reader = new PlainReader(text, lines);
    return reader.root();
  } catch (cause) {
    if (cause === UNUSUAL) return undefined;
    throw cause;
  }
}

interface Line {
  indent: number;
  start: number;
  readonly end: number;
}

/** Thrown inside this file alone: what is here is not for this reader. */
const UNUSUAL = new Error("not plain");

const KEY = /[A-Za-z][A-Za-z0-9._-]{0,99}(?=:(?: |$))/my;
/** A `:` inside a word stands between two other characters. */
const WORD = /[A-Za-z0-9$_./~](?:[A-Za-z0-9$_./~@+=%-]|:(?=[A-Za-z0-9$_./~@+=%-]))*/y;
const QUOTED = /"[ !#-[\]-~]*"|'[ -&(-~]*'/y;
const REST = / *(?:(?<= )#.*)?$/my;
/** What YAML takes for something else than a text, and what only looks like it. */
const RESERVED = /^(?:~|null|true|false|yes|no|on|off|y|n|[0-9.][0-9a-z_.]*)$/i;
const MAX_DEPTH = 8;

/** The lines that say something; undefined where a character has a meaning of its own. */
function splitLines(text: string): readonly Line[] | undefined {
  if (/[\r\t\ufeff]/.test(text)) return undefined;
  const lines: Line[] = [];
  for (const found of text.matchAll(/^( *)([^ #\n].*)$/gm)) {
    const indent = found[1]?.length ?? 0;
    lines.push({ indent, start: found.index + indent, end: found.index + found[0].length });
  }
  return lines;
}

class PlainReader {
  readonly #text: string;
  readonly #lines: readonly Line[];
  #line = 0;
  #at = 0;

  constructor(text: string, lines: readonly Line[]) {
    this.#text = text;
    this.#lines = lines;
  }

  root(): YAMLMap {
    const map = this.#map(0);
    if (this.#line < this.#lines.length) throw UNUSUAL;
    return map;
  }

  /** The mapping whose keys stand at this indent, one on a line. */
  #map(depth: number): YAMLMap {
    const { indent, start } = this.#here();
    const map = new YAMLMap();
    for (let line = this.#lines[this.#line]; line?.indent === indent; line = this.#lines[this.#line]) {
      this.#at = line.start;
      const key = this.#key(map);
      this.#take(/ */y);
      const value = this.#isLineDone() ? this.#below(line, depth + 1) : this.#lineValue(depth + 1);
      map.items.push(new Pair<unknown, unknown>(key, value));
    }
    return ranged(map, start);
  }

  /** What stands below `key:`, deeper; a list may stand as deep as its key. */
  #below(above: Line, depth: number): YAMLMap | YAMLSeq {
    if (depth > MAX_DEPTH) throw UNUSUAL;
    this.#line += 1;
    const next = this.#here();
    const isList = this.#text.startsWith("- ", next.start);
    if (isList ? next.indent < above.indent : next.indent <= above.indent) throw UNUSUAL;
    return isList ? this.#list(depth) : this.#map(depth);
  }

  #list(depth: number): YAMLSeq {
    const { indent, start } = this.#here();
    const list = new YAMLSeq();
    for (
      let line = this.#lines[this.#line];
      line?.indent === indent && this.#text.startsWith("- ", line.start);
      line = this.#lines[this.#line]
    ) {
      this.#at = line.start + 1;
      this.#take(/ +/y);
      if (matchAt(KEY, this.#text, this.#at) === undefined) {
        list.items.push(this.#lineValue(depth + 1));
        continue;
      }
      // The keys of a mapping in a list stand below its first one.
      line.indent += this.#at - line.start;
      line.start = this.#at;
      list.items.push(this.#map(depth + 1));
    }
    return ranged(list, start);
  }

  #lineValue(depth: number): unknown {
    const value = this.#value(depth);
    if (!this.#isLineDone()) throw UNUSUAL;
    this.#line += 1;
    return value;
  }

  #value(depth: number): unknown {
    if (depth > MAX_DEPTH) throw UNUSUAL;
    const start = this.#at;
    switch (this.#text.charAt(start)) {
      case "{": {
        const map = new YAMLMap();
        map.flow = true;
        this.#inside("}", () => {
          const key = this.#key(map);
          this.#take(/ +/y);
          map.items.push(new Pair<unknown, unknown>(key, this.#value(depth + 1)));
        });
        return ranged(map, start);
      }
      case "[": {
        const list = new YAMLSeq();
        list.flow = true;
        this.#inside("]", () => list.items.push(this.#value(depth + 1)));
        return ranged(list, start);
      }
      case '"':
      case "'":
        return ranged(new Scalar(this.#take(QUOTED).slice(1, -1)), start);
      default:
        return ranged(new Scalar(wordValue(this.#take(WORD))), start);
    }
  }

  /** What stands between brackets, divided by commas. */
  #inside(close: string, readOne: () => void): void {
    this.#at += 1;
    this.#take(/ */y);
    if (this.#text[this.#at] !== close)
      for (;;) {
        readOne();
        this.#take(/ */y);
        if (this.#text[this.#at] === close) break;
        this.#take(/, */y);
      }
    this.#at += 1;
  }

  #key(map: YAMLMap): Scalar {
    const start = this.#at;
    const key = this.#take(KEY);
    if (RESERVED.test(key) || map.items.some((pair) => (pair.key as Scalar).value === key)) throw UNUSUAL;
    this.#at += 1;
    return ranged(new Scalar(key), start);
  }

  #here(): Line {
    const line = this.#lines[this.#line];
    if (line === undefined) throw UNUSUAL;
    return line;
  }

  #isLineDone(): boolean {
    return matchAt(REST, this.#text, this.#at) !== undefined;
  }

  #take(pattern: RegExp): string {
    const found = matchAt(pattern, this.#text, this.#at);
    if (found === undefined) throw UNUSUAL;
    this.#at += found.length;
    return found;
  }
}

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

/** Numbers are few in wharf.yaml, dates and addresses are texts. */
function wordValue(word: string): string | number | boolean {
  if (!RESERVED.test(word) || /^(?:\d{1,3}\.){3}\d{1,3}$/.test(word)) return word;
  if (/^(?:0|[1-9]\d{0,8})$/.test(word)) return Number(word);
  if (word === "true" || word === "false") return word === "true";
  throw UNUSUAL;
}

function ranged<Node extends YAMLMap | YAMLSeq | Scalar>(node: Node, start: number): Node {
  // Only where it begins is asked for.
  node.range = [start, start, start];
  return node;
}
