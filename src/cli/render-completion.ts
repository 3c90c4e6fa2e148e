import { AppError } from "#core";
import type { Command } from "./command.ts";
import { type CommandTable, globalOptions } from "./command-table.ts";

/** What may be typed after some words. */
interface Step {
  readonly words: string;
  /** Next words, with what they do. */
  readonly next: readonly (readonly [word: string, summary: string])[];
  readonly options: readonly Choice[];
}

interface Choice {
  /** `--username`, `-u`. */
  readonly flags: readonly string[];
  readonly summary: string;
  readonly takesValue: boolean;
  readonly choices: readonly string[];
}

/** The completion script of a shell, from the commands' own data. Throws USAGE for a shell it does not know. */
export async function renderCompletion(table: CommandTable, shell: string): Promise<string> {
  const steps = stepsOf(await table.load([]), table);
  if (shell === "bash") return renderBash(steps);
  if (shell === "zsh") return renderZsh(steps);
  if (shell === "fish") return renderFish(steps);
  throw new AppError("USAGE", `there is no completion for ${JSON.stringify(shell)}`, {
    hint: "say one of: bash, zsh, fish",
  });
}

function stepsOf(commands: readonly Command[], table: CommandTable): readonly Step[] {
  const next = new Map<string, Map<string, string>>([["", new Map()]]);
  for (const command of commands) {
    command.path.forEach((word, depth) => {
      const before = command.path.slice(0, depth).join(" ");
      const upto = [...command.path.slice(0, depth), word].join(" ");
      const isLast = depth === command.path.length - 1;
      const words = next.get(before) ?? new Map<string, string>();
      if (isLast || !words.has(word)) words.set(word, isLast ? command.summary : (table.groups[upto] ?? ""));
      next.set(before, words);
    });
  }
  const byWords = new Map(commands.map((command) => [command.path.join(" "), command]));
  return [...new Set([...next.keys(), ...byWords.keys()])].map((words) => ({
    words,
    next: [...(next.get(words) ?? []), ...argumentChoices(byWords.get(words))],
    options: [
      ...(byWords.get(words)?.options ?? []).filter((option) => option.hidden !== true),
      ...globalOptions,
    ].map(choiceOf),
  }));
}

/** Values of arguments are words that may come next; which of several arguments it is, is not told apart. */
function argumentChoices(command: Command | undefined): readonly (readonly [string, string])[] {
  return (command?.args ?? []).flatMap(({ choices = [], summary }) =>
    choices.map((choice) => [choice, summary] as const),
  );
}

function choiceOf(option: { flag: string; summary: string; choices?: readonly string[] }): Choice {
  return {
    flags: option.flag.match(/(?<![\w-])--?[A-Za-z][\w-]*/g) ?? [],
    summary: option.summary,
    takesValue: /[<[]/.test(option.flag),
    choices: option.choices ?? [],
  };
}

function renderBash(steps: readonly Step[]): string {
  const cases = steps.map((step) => {
    const flags = step.options.flatMap((option) => option.flags);
    return `    ${quote(step.words)}) next=${quote(step.next.map(([word]) => word).join(" "))}; flags=${quote(flags.join(" "))} ;;`;
  });
  const values = steps.flatMap((step) =>
    step.options
      .filter((option) => option.takesValue)
      .flatMap((option) =>
        option.flags.map(
          (flag) =>
            `    ${quote(`${step.words}:${flag}`)}) takes=yes; choices=${quote(option.choices.join(" "))} ;;`,
        ),
      ),
  );
  return `# Completion of wharf for bash; made by 'wharf completion bash'.
_wharf_step() {
  case "$1" in
${cases.join("\n")}
    *) return 1 ;;
  esac
}
_wharf_value() {
  takes=no; choices=''
  case "$1" in
${values.join("\n")}
  esac
}
_wharf() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words='' next='' flags='' takes=no choices='' index word
  COMPREPLY=()
  for ((index = 1; index < COMP_CWORD; index++)); do
    word="\${COMP_WORDS[index]}"
    _wharf_value "$words:$word"
    if [ "$takes" = yes ]; then ((index++)); continue; fi
    case "$word" in -*) continue ;; esac
    if _wharf_step "\${words:+$words }$word"; then words="\${words:+$words }$word"; fi
  done
  if ((COMP_CWORD > 1)); then
    _wharf_value "$words:\${COMP_WORDS[COMP_CWORD-1]}"
    if [ "$takes" = yes ]; then
      if [ -n "$choices" ]; then COMPREPLY=($(compgen -W "$choices" -- "$current"))
      else COMPREPLY=($(compgen -f -- "$current")); fi
      return 0
    fi
  fi
  _wharf_step "$words"
  case "$current" in
    -*) COMPREPLY=($(compgen -W "$flags" -- "$current")) ;;
    *) if [ -n "$next" ]; then COMPREPLY=($(compgen -W "$next" -- "$current"))
       else COMPREPLY=($(compgen -f -- "$current")); fi ;;
  esac
}
complete -o filenames -F _wharf wharf
`;
}

function renderZsh(steps: readonly Step[]): string {
  const cases = steps.map((step) => {
    const next = step.next.map(([word, summary]) => quote(`${word}:${summary}`)).join(" ");
    const flags = step.options
      .flatMap((option) => option.flags.map((flag) => quote(`${flag}:${option.summary}`)))
      .join(" ");
    return `    ${quote(step.words)}) next=(${next}); flags=(${flags}) ;;`;
  });
  const values = steps.flatMap((step) =>
    step.options
      .filter((option) => option.takesValue)
      .flatMap((option) =>
        option.flags.map(
          (flag) =>
            `    ${quote(`${step.words}:${flag}`)}) takes=yes; choices=(${option.choices.map(quote).join(" ")}) ;;`,
        ),
      ),
  );
  return `#compdef wharf
# Completion of wharf for zsh; made by 'wharf completion zsh'.
_wharf_step() {
  case "$1" in
${cases.join("\n")}
    *) return 1 ;;
  esac
}
_wharf_value() {
  takes=no; choices=()
  case "$1" in
${values.join("\n")}
  esac
}
_wharf() {
  local so_far='' takes=no index word
  local -a next flags choices
  for ((index = 2; index < CURRENT; index++)); do
    word="\${words[index]}"
    _wharf_value "$so_far:$word"
    if [[ $takes == yes ]]; then ((index++)); continue; fi
    [[ $word == -* ]] && continue
    if _wharf_step "\${so_far:+$so_far }$word"; then so_far="\${so_far:+$so_far }$word"; fi
  done
  _wharf_value "$so_far:\${words[CURRENT-1]}"
  if [[ $takes == yes ]] && ((CURRENT > 2)); then
    if ((\${#choices})); then compadd -a choices; else _files; fi
    return
  fi
  _wharf_step "$so_far"
  if [[ \${words[CURRENT]} == -* ]]; then _describe option flags
  elif ((\${#next})); then _describe command next
  else _files; fi
}
if [ "$funcstack[1]" = _wharf ]; then _wharf "$@"; else compdef _wharf wharf; fi
`;
}

function renderFish(steps: readonly Step[]): string {
  const lines = steps.flatMap((step) => {
    const when = `-n ${quote(`_wharf_at ${quote(step.words)}`)}`;
    const words = step.next.map(
      ([word, summary]) => `complete -c wharf -f ${when} -a ${quote(word)} -d ${quote(summary)}`,
    );
    const flags = step.options.map((option) => {
      const names = option.flags.map((flag) =>
        flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
      );
      const value = !option.takesValue
        ? ""
        : option.choices.length > 0
          ? ` -x -a ${quote(option.choices.join(" "))}`
          : " -r";
      return `complete -c wharf ${when} ${names.join(" ")}${value} -d ${quote(option.summary)}`;
    });
    return [...words, ...flags];
  });
  const known = steps.map((step) => step.words).filter((words) => words !== "");
  const taking = new Set(
    steps.flatMap((step) =>
      step.options.filter((option) => option.takesValue).flatMap((option) => option.flags),
    ),
  );
  return `# Completion of wharf for fish; made by 'wharf completion fish'.
function _wharf_at
  set -l so_far
  set -l skip no
  for word in (commandline -opc)[2..-1]
    if test $skip = yes
      set skip no
      continue
    end
    if contains -- $word ${[...taking].join(" ")}
      set skip yes
      continue
    end
    string match -q -- '-*' $word; and continue
    set -l longer (string join ' ' -- $so_far $word)
    contains -- $longer ${known.map(quote).join(" ")}; and set so_far $so_far $word
  end
  test "$so_far" = "$argv[1]"
end
${lines.join("\n")}
`;
}

/** A word in single quotes, as all three shells read it. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
