import { AppError } from "#core";

/** What curl finds for a host: the first `machine` of that name, or `default`, and the words that follow it. */
export interface NetrcBlock {
  /** From 1. */
  readonly line: number;
  readonly isDefault: boolean;
  readonly login: string | undefined;
  readonly password: string | undefined;
  /** Stood the password in double quotes (curl before 7.84 sends them). */
  readonly quoted: boolean;
}

interface Word {
  readonly text: string;
  readonly quoted: boolean;
  readonly line: number;
}

const MAX_BYTES = 1024 * 1024;

/** Bytes of a `.credentials` file as text. Throws FILE_INVALID for what is not UTF-8, holds a NUL, or is too large. */
export function readNetrcText(bytes: Uint8Array, path: string): string {
  if (bytes.length > MAX_BYTES) throw invalid(path, `it is larger than ${MAX_BYTES} bytes`);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw invalid(path, "it is not UTF-8 text", cause);
  }
  const nul = text.indexOf("\0");
  if (nul >= 0) throw invalid(`${path}:${text.slice(0, nul).split("\n").length}`, "it holds a NUL");
  return text;
}

/** All blocks in curl's eyes: words over line ends, `#` lines and macro bodies left out. Throws FILE_INVALID with the line of a stray quote. */
export function parseNetrc(text: string, path: string): readonly (NetrcBlock & { readonly host: string })[] {
  const blocks: (NetrcBlock & { host: string })[] = [];
  const words = wordsOf(text, path);
  let open: { -readonly [K in keyof NetrcBlock]: NetrcBlock[K] } & { host: string } = empty();
  for (let index = 0; index < words.length; index++) {
    const word = words[index];
    if (word === undefined) break;
    const value = words[index + 1];
    const name = word.text.toLowerCase();
    if (name === "machine" && value !== undefined) {
      open = { ...empty(), host: value.text.toLowerCase(), line: word.line };
      blocks.push(open);
      index++;
    } else if (name === "default") {
      open = { ...empty(), isDefault: true, line: word.line };
      blocks.push(open);
    } else if (name === "login" && value !== undefined) {
      open.login ??= value.text;
      index++;
    } else if (name === "password" && value !== undefined) {
      open.password ??= value.text;
      open.quoted = value.quoted;
      index++;
    }
  }
  return blocks;
}

/** The block that curl uses for a host; undefined when there is none. */
export function findBlock(
  blocks: readonly (NetrcBlock & { readonly host: string })[],
  host: string,
): NetrcBlock | undefined {
  return blocks.find((block) => block.isDefault || block.host === host.toLowerCase());
}

function empty(): { -readonly [K in keyof NetrcBlock]: NetrcBlock[K] } & { host: string } {
  return { host: "", line: 0, isDefault: false, login: undefined, password: undefined, quoted: false };
}

function wordsOf(text: string, path: string): readonly Word[] {
  const words: Word[] = [];
  let inMacro = false;
  for (const [index, line] of text.split("\n").entries()) {
    if (inMacro) {
      inMacro = line.trim() !== "";
      continue;
    }
    if (/^\s*#/.test(line)) continue;
    let rest = line.replace(/^\s+/, "");
    while (rest !== "") {
      const found = /^"((?:[^"\\]|\\.)*)"|^[^\s"]\S*/.exec(rest);
      if (found === null) throw invalid(`${path}:${index + 1}`, "a double quote is opened and not closed");
      const quoted = found[1] !== undefined;
      const word = quoted ? unescape(found[1] ?? "") : found[0];
      if (word === "macdef" && !quoted) inMacro = true;
      words.push({ text: word, quoted, line: index + 1 });
      rest = rest.slice(found[0].length).replace(/^\s+/, "");
      if (inMacro) break;
    }
  }
  return words;
}

function unescape(text: string): string {
  const meanings: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };
  return text.replace(/\\(.)/g, (_, letter: string) => meanings[letter] ?? letter);
}

function invalid(where: string, why: string, cause?: unknown): AppError {
  return new AppError("FILE_INVALID", `${where}: ${why}`, {
    hint: "mend the file or move it away; wharf left it as it is",
    ...(cause === undefined ? {} : { cause }),
  });
}
