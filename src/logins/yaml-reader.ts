import { isAlias, isMap, isScalar, isSeq, LineCounter, type Pair, parseDocument } from "yaml";
import { AppError, nearestName } from "#core";

/** wharf.yaml is written by people: more than this is a mistake or an attack. */
const MAX_CHARACTERS = 1_000_000;

/** One `key: value` of a mapping, with where it stands. */
export interface Field {
  readonly key: string;
  readonly keyNode: unknown;
  readonly value: unknown;
}

/**
 * Reads YAML with a place for every complaint: each method gives a checked value or throws CONFIG_INVALID with
 * `file:line:column`. Aliases are refused: a file of logins must say what it says where it says it.
 */
export class YamlReader {
  /** The file's one value; null where it holds none. */
  readonly root: unknown;
  readonly #file: string;
  readonly #lines = new LineCounter();

  constructor(file: string, text: string) {
    this.#file = file;
    if (text.length > MAX_CHARACTERS)
      throw new AppError("TOO_LARGE", `${file} has more than ${MAX_CHARACTERS} characters`);
    const document = parseDocument(text, {
      lineCounter: this.#lines,
      uniqueKeys: true,
      prettyErrors: false,
      logLevel: "silent",
    });
    this.root = document.contents;
    const fault = document.errors[0];
    if (fault !== undefined) {
      const at = this.#lines.linePos(fault.pos[0]);
      // The parser quotes what it stumbled on, which may be a secret: only its first line, and no quoted text.
      const why = (fault.message.split("\n")[0] ?? "").replaceAll(/"[^"]*"|'[^']*'|`[^`]*`/g, "…");
      throw new AppError("CONFIG_INVALID", `${file}:${at.line}:${at.col}: is not YAML: ${why}`, {
        hint: "mend the line; `key: value` needs a space after the colon, and text with ': ' or ' #' needs quotes",
      });
    }
  }

  /** `file:line:column` of a node; of the file's beginning where the node has no place. */
  where(node: unknown): string {
    const offset = offsetOf(node);
    const at = this.#lines.linePos(offset ?? 0);
    return `${this.#file}:${at.line}:${at.col}`;
  }

  fault(node: unknown, why: string, hint?: string): AppError {
    return new AppError("CONFIG_INVALID", `${this.where(node)}: ${why}`, hint === undefined ? {} : { hint });
  }

  /** The fields of a mapping; an empty value counts as an empty mapping. */
  fields(node: unknown, what: string): readonly Field[] {
    if (node === null || node === undefined || (isScalar(node) && node.value === null)) return [];
    if (!isMap(node)) throw this.fault(node, `${what} must be a mapping (key: value), not ${kindOf(node)}`);
    return node.items.map((pair: Pair) => {
      if (!isScalar(pair.key)) throw this.fault(pair.key, `a key of ${what} must be a plain name`);
      if (isAlias(pair.value)) throw this.fault(pair.value, "aliases (*name) are not taken here");
      return { key: String(pair.key.value), keyNode: pair.key, value: pair.value };
    });
  }

  /** As `fields`, and refuses a key that is not among `known`, with the nearest of them. */
  knownFields(node: unknown, what: string, known: readonly string[]): ReadonlyMap<string, Field> {
    const found = new Map<string, Field>();
    for (const field of this.fields(node, what)) {
      if (!known.includes(field.key)) {
        const near = nearestName(field.key, known);
        throw this.fault(
          field.keyNode,
          `${what} has no key ${JSON.stringify(field.key.slice(0, 60))}`,
          near === undefined ? `its keys are ${known.join(", ")}` : `did you mean ${near}?`,
        );
      }
      found.set(field.key, field);
    }
    return found;
  }

  /** A text; numbers and booleans are refused, because YAML changes them (`0123`, `1e3`, `no`). */
  text(field: Field, what: string): string {
    const node = field.value;
    if (!isScalar(node) || typeof node.value !== "string" || node.value === "")
      throw this.fault(
        node ?? field.keyNode,
        `${what} must be a text`,
        `put it in quotes: ${field.key}: "…"`,
      );
    return node.value;
  }

  flag(field: Field, what: string): boolean {
    const node = field.value;
    if (!isScalar(node) || typeof node.value !== "boolean")
      throw this.fault(node ?? field.keyNode, `${what} must be true or false`);
    return node.value;
  }

  /** A list of texts; one text alone counts as a list of one. */
  texts(field: Field, what: string): readonly string[] {
    const node = field.value;
    if (isScalar(node) && typeof node.value === "string") return [node.value];
    if (!isSeq(node)) throw this.fault(node ?? field.keyNode, `${what} must be a list of texts`);
    return node.items.map((item) => {
      if (!isScalar(item) || typeof item.value !== "string" || item.value === "")
        throw this.fault(item, `each of ${what} must be a text`);
      return item.value;
    });
  }

  /** The items of a list; an empty value counts as an empty list. */
  items(node: unknown, what: string): readonly unknown[] {
    if (node === null || node === undefined || (isScalar(node) && node.value === null)) return [];
    if (!isSeq(node)) throw this.fault(node, `${what} must be a list (lines that begin with '- ')`);
    return node.items;
  }
}

function offsetOf(node: unknown): number | undefined {
  if (typeof node !== "object" || node === null) return undefined;
  const range = (node as { range?: readonly number[] | null }).range;
  return range?.[0];
}

function kindOf(node: unknown): string {
  if (isSeq(node)) return "a list";
  if (isAlias(node)) return "an alias";
  return "a single value";
}
