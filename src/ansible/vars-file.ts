import { type Document, isMap, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import { AppError, isAppError, Secret } from "#core";
import { isAnsibleVault } from "./envelope.ts";
import { type OpenedVault, openAnsibleVault, type VaultPassword } from "./seal.ts";

const MAX_CHARACTERS = 4 * 1024 * 1024;
/** A variable that is another's value, and so on. */
const MAX_REFERENCES = 20;

/** A vars file in clear, as Ansible loads it. */
export interface Vars {
  readonly text: string;
  readonly document: Document;
  /** For messages. */
  readonly where: string;
  /** Line of an offset, from 1. */
  line(offset: number): number;
}

/** A value of a vars file: its text, or why it is not known. */
export type Value =
  | { readonly kind: "text"; readonly text: Secret }
  /** `why` never holds the value. */
  | { readonly kind: "unknown"; readonly why: string; readonly hint?: string };

/** The clear text of a file, and what opened it where it is encrypted as a whole. Throws FILE_INVALID, SECRET_UNAVAILABLE. */
export function openVars(
  text: string,
  passwords: readonly VaultPassword[],
  where: string,
): { readonly clear: Secret; readonly opened: OpenedVault | undefined } {
  if (!isAnsibleVault(text)) return { clear: new Secret(text), opened: undefined };
  const opened = openAnsibleVault(text, passwords, where);
  return { clear: opened.clear, opened };
}

/**
 * Parses the clear text of a vars file: one mapping, or nothing, by YAML 1.1 as PyYAML does (`no` is a truth, `0123` a number). Throws
 * FILE_INVALID with line and column, never with content.
 */
export function parseVars(clear: Secret, where: string): Vars {
  const text = clear.reveal();
  if (text.length > MAX_CHARACTERS)
    throw new AppError("TOO_LARGE", `${where}: it has more than ${MAX_CHARACTERS} characters`);
  const lines = new LineCounter();
  const document = parse(text, where, lines);
  const [fault] = document.errors;
  if (fault !== undefined) {
    const at = lines.linePos(fault.pos[0]);
    throw invalid(`${where}:${at.line}:${at.col}`, "this is not YAML");
  }
  const { contents } = document;
  if (contents !== null && !isMap(contents) && !(isScalar(contents) && contents.value === null))
    throw invalid(where, "variables (`name: value`) were expected");
  return { text, document, where, line: (offset) => lines.linePos(offset).line };
}

function parse(text: string, where: string, lineCounter: LineCounter): Document {
  try {
    return parseDocument(text, {
      version: "1.1",
      lineCounter,
      uniqueKeys: true,
      prettyErrors: false,
      logLevel: "silent",
    });
  } catch (cause) {
    throw invalid(where, "this is not YAML", cause);
  }
}

/** The node of a variable, or of what is in it: keys and positions in turn. undefined: there is none. */
export function readVar(vars: Vars, path: readonly string[]): unknown {
  let node: unknown = vars.document.contents;
  for (const step of path) {
    if (isMap(node))
      node = node.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === step)?.value;
    else if (isSeq(node)) node = /^\d{1,6}$/.test(step) ? node.items[Number(step)] : undefined;
    else return undefined;
  }
  return node ?? undefined;
}

/**
 * What a node says. `!vault` is decrypted; `{{ name }}` is followed where that variable is in the same file; any other template is
 * unknown, since what it comes to is known to Ansible alone.
 */
export function readValue(vars: Vars, node: unknown, passwords: readonly VaultPassword[]): Value {
  return follow(vars, node, { passwords, left: MAX_REFERENCES });
}

function follow(
  vars: Vars,
  node: unknown,
  how: { readonly passwords: readonly VaultPassword[]; readonly left: number },
): Value {
  if (!isScalar(node)) return { kind: "unknown", why: "it is no text" };
  if (typeof node.value !== "string")
    return {
      kind: "unknown",
      why: "YAML takes it for a number, a truth or nothing, and Ansible passes on what that comes to",
      hint: "put it in quotes",
    };
  const { value, tag } = node;
  if (tag === "!vault" || tag === "!vault-encrypted") return openValue(vars, value, how.passwords);
  if (tag === "!unsafe" || !isTemplate(value)) return { kind: "text", text: new Secret(value) };
  const name = /^\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}$/.exec(value)?.[1];
  const target = name === undefined ? undefined : readVar(vars, [name]);
  if (target === undefined)
    return {
      kind: "unknown",
      why: "it is a template, and what it comes to is known to Ansible alone",
      hint: "name the file that holds the value itself; a value that only looks like a template is written !unsafe '…'",
    };
  if (how.left === 0) return { kind: "unknown", why: "its variables refer to each other without end" };
  return follow(vars, target, { ...how, left: how.left - 1 });
}

function openValue(vars: Vars, value: string, passwords: readonly VaultPassword[]): Value {
  try {
    return { kind: "text", text: openAnsibleVault(value, passwords, vars.where).clear };
  } catch (cause) {
    if (!isAppError(cause)) throw cause;
    const why = cause.message.slice(vars.where.length + 2);
    return { kind: "unknown", why, ...(cause.hint === undefined ? {} : { hint: cause.hint }) };
  }
}

/** Would Ansible run this text through Jinja. */
export function isTemplate(text: string): boolean {
  return /\{\{|\{%|\{#/.test(text);
}

function invalid(where: string, why: string, cause?: unknown): AppError {
  return new AppError("FILE_INVALID", `${where}: ${why}`, {
    hint: "mend the file or move it away; wharf left it as it is",
    ...(cause === undefined ? {} : { cause }),
  });
}
