import { AppError, nearestName } from "#core";
import type { Command } from "./command.ts";
import type { CommandLoader, CommandSection } from "./commands.ts";

/** Options that every command takes, in the form of a command's own. */
export const globalOptions = [
  { flag: "-c, --config <file>", summary: "the file to use instead of the one that would be found" },
  { flag: "--json", summary: "print one stable JSON document and nothing else" },
  { flag: "--no-color", summary: "no colours (also NO_COLOR, and when not at a terminal)" },
  { flag: "-h, --help", summary: "this help" },
] as const;

/** What the words of a command line name. */
export type Resolved =
  | { readonly kind: "command"; readonly words: readonly string[]; readonly load: CommandLoader }
  | { readonly kind: "group"; readonly words: readonly string[] };

/** The commands by their words. */
export interface CommandTable {
  readonly sections: readonly CommandSection[];
  readonly groups: Readonly<Record<string, string>>;
  /**
   * Finds what the leading words name; global options may stand before and between them. `rest` is all else, in order.
   * Throws USAGE for a word that names nothing, with the nearest that does.
   */
  resolve(args: readonly string[]): { readonly found: Resolved; readonly rest: readonly string[] };
  /** Words of every command, in order. */
  readonly paths: readonly string[];
  /** Every command whose words begin with these; all of them for none. Loads their files. */
  load(words: readonly string[]): Promise<readonly Command[]>;
}

export function createCommandTable(
  sections: readonly CommandSection[],
  groups: Readonly<Record<string, string>>,
): CommandTable {
  const loaders = new Map<string, CommandLoader>();
  for (const section of sections)
    for (const [path, loader] of Object.entries(section.commands)) loaders.set(path, loader);
  const paths = [...loaders.keys()];

  return {
    sections,
    groups,
    paths,
    resolve(args) {
      const words: string[] = [];
      const rest: string[] = [];
      for (let index = 0; index < args.length; index++) {
        const arg = args[index] ?? "";
        if (arg === "-c" || arg === "--config") {
          rest.push(arg, ...args.slice(index + 1, index + 2));
          index++;
        } else if (isGlobal(arg)) {
          rest.push(arg);
        } else if (!arg.startsWith("-") && continues(paths, [...words, arg])) {
          words.push(arg);
        } else {
          const load = loaders.get(words.join(" "));
          if (load === undefined && !arg.startsWith("-")) throw unknownCommand(paths, words, arg);
          rest.push(...args.slice(index));
          break;
        }
      }
      const load = loaders.get(words.join(" "));
      return {
        found: load === undefined ? { kind: "group", words } : { kind: "command", words, load },
        rest,
      };
    },
    async load(words) {
      const wanted = paths.filter((path) => isPrefix(words, path.split(" ")));
      return Promise.all(wanted.map(async (path) => (loaders.get(path) as CommandLoader)()));
    },
  };
}

function isGlobal(arg: string): boolean {
  return /^(?:--json|--no-color|-h|--help|-V|--version|--config=.*|-c.+)$/.test(arg);
}

function isPrefix(words: readonly string[], path: readonly string[]): boolean {
  return words.length <= path.length && words.every((word, index) => word === path[index]);
}

function continues(paths: readonly string[], words: readonly string[]): boolean {
  return paths.some((path) => isPrefix(words, path.split(" ")));
}

function unknownCommand(paths: readonly string[], words: readonly string[], typed: string): AppError {
  const next = new Set<string>();
  for (const path of paths) {
    const parts = path.split(" ");
    const word = parts[words.length];
    if (word !== undefined && isPrefix(words, parts)) next.add(word);
  }
  const group = ["wharf", ...words].join(" ");
  const begun = [...next].filter((word) => word.startsWith(typed));
  const near = begun.length === 1 ? begun[0] : nearestName(typed, next);
  return new AppError("USAGE", `there is no command '${group} ${typed.slice(0, 80)}'`, {
    hint:
      near === undefined ? `see '${group} --help' for those there are` : `did you mean '${group} ${near}'?`,
  });
}
