/** A word of a command line. */
export interface ShellWord {
  /** Without quotes and backslashes. */
  readonly text: string;
  /** As it stands. */
  readonly raw: string;
}

/** One simple command, as far as it can be told without running a shell. */
export interface ShellCommand {
  /** The program's name without its folder. */
  readonly program: string;
  /** The words behind it. */
  readonly words: readonly ShellWord[];
  /** Variables set before it, or by `export`. */
  readonly assigned: readonly { readonly name: string; readonly value: ShellWord }[];
  /** The commands of its pipeline that stand before it. */
  readonly before: readonly ShellCommand[];
  /** Line of the text that the command begins on, from 0. */
  readonly index: number;
}

const MAX_WORDS = 500;
/** Words before the program that change nothing of what it reads. */
const PREFIX = new Set(["sudo", "exec", "time", "nohup", "env", "command", "RUN", "srun", "$", "%", ">"]);

/**
 * The commands of a script, or of a code block: lines joined at their backslashes (with blanks behind them too), prompts and list marks
 * taken off, comments left out. Never throws; what a shell alone could tell (functions, here-documents) is not followed.
 */
export function parseCommands(text: string): readonly ShellCommand[] {
  const commands: ShellCommand[] = [];
  const lines = text.split("\n");
  for (let index = 0; index < lines.length; index++) {
    const start = index;
    const pieces = [lines[index] ?? ""];
    while (/\\[ \t\r]*$/.test(pieces.at(-1) ?? "") && index + 1 < lines.length) {
      pieces.push(`${pieces.pop()?.replace(/\\[ \t\r]*$/, "") ?? ""} `);
      pieces.push(lines[++index] ?? "");
    }
    const line = pieces.join("");
    if (/^\s*#/.test(line) && !/^\s*#SBATCH\s/.test(line)) continue;
    const bare = line.replace(/^\s*(?:#(?=SBATCH))?(?:- )?(?:(?:run|script|command|shell|cmd): )?/, "");
    commands.push(...parseLine(bare, start));
  }
  return commands;
}

function parseLine(line: string, index: number): readonly ShellCommand[] {
  const commands: ShellCommand[] = [];
  let before: ShellCommand[] = [];
  let words: ShellWord[] = [];
  const close = (isPipe: boolean): void => {
    const command = toCommand(words, before, index);
    words = [];
    if (command !== undefined) {
      commands.push(command);
      before.push(command);
    }
    if (!isPipe) before = [];
  };
  for (const word of splitWords(line)) {
    if (word.raw === "|") close(true);
    else if (/^(?:;|&&|\|\||&)$/.test(word.raw)) close(false);
    else words.push(word);
  }
  close(false);
  return commands;
}

function toCommand(
  words: readonly ShellWord[],
  before: readonly ShellCommand[],
  index: number,
): ShellCommand | undefined {
  const assigned: { name: string; value: ShellWord }[] = [];
  let at = 0;
  let isExport = false;
  for (; at < words.length; at++) {
    const word = words[at];
    if (word === undefined) break;
    const found = /^([A-Za-z_][A-Za-z0-9_]*)=/.exec(word.text);
    if (found !== null) {
      const name = found[1] ?? "";
      assigned.push({
        name,
        value: { text: word.text.slice(name.length + 1), raw: word.raw.slice(name.length + 1) },
      });
    } else if (word.text === "export" || word.text === "declare" || word.text === "-x") isExport = true;
    else if (!PREFIX.has(word.text) && !(isExport && word.text.startsWith("-"))) break;
  }
  const program = words[at]?.text.split("/").at(-1) ?? "";
  if (program === "" && assigned.length === 0) return undefined;
  return { program, words: words.slice(at + 1), assigned, before: [...before], index };
}

/** Words as a shell makes them: quotes of both kinds, backslashes, `$(…)` kept whole; operators as words of their own. */
export function splitWords(line: string): readonly ShellWord[] {
  const words: ShellWord[] = [];
  const found =
    /\|\||&&|[|;&](?!>)|(?:"(?:[^"\\]|\\.)*"|'[^']*'|\$\((?:[^()]|\([^()]*\))*\)|\\.|<[^<>\s][^<>]*>|[^\s|;&"'\\])+|["']/g;
  for (const [raw] of line.matchAll(found)) {
    if (raw.startsWith("#") && raw !== "#SBATCH") break;
    words.push({ text: unquote(raw), raw });
    if (words.length === MAX_WORDS) break;
  }
  return words;
}

function unquote(raw: string): string {
  return raw.replace(
    /"((?:[^"\\]|\\.)*)"|'([^']*)'|\\(.)/g,
    (_, double?: string, single?: string, char?: string) =>
      double !== undefined ? double.replace(/\\(["\\$`])/g, "$1") : (single ?? char ?? ""),
  );
}

/** The value of an option: `--name value`, `--name=value`, `-n value`, `-nvalue` for one letter. undefined: not given. */
export function optionOf(words: readonly ShellWord[], names: readonly string[]): ShellWord | undefined {
  for (const [index, word] of words.entries()) {
    for (const name of names) {
      if (word.text === name) return words[index + 1];
      if (word.text.startsWith(`${name}=`))
        return { text: word.text.slice(name.length + 1), raw: word.raw.slice(name.length + 1) };
      const isShort = /^-[a-z]$/i.test(name);
      if (isShort && word.text.startsWith(name) && !word.text.startsWith("--"))
        return { text: word.text.slice(2), raw: word.raw.slice(2) };
    }
  }
  return undefined;
}

/** Words that are neither options nor the values of these options. */
export function operandsOf(words: readonly ShellWord[], valued: readonly string[]): readonly ShellWord[] {
  const operands: ShellWord[] = [];
  for (let index = 0; index < words.length; index++) {
    const word = words[index];
    if (word === undefined) break;
    if (valued.includes(word.text)) index++;
    else if (!word.text.startsWith("-")) operands.push(word);
  }
  return operands;
}
