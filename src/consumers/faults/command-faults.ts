import { authFiles } from "./auth-file-faults.ts";
import type { Fault, Part, RuleFamily } from "./contract.ts";
import { kubectlFaults } from "./kubectl-faults.ts";
import { recognisePart } from "./recognise-part.ts";
import { secretArgument } from "./secret-argument.ts";
import { optionOf, parseCommands, type ShellCommand } from "./shell-commands.ts";
import { variableFaults } from "./variable-faults.ts";

/** Command lines of scripts and of pages' code blocks. */
export const commandLines: RuleFamily = {
  kinds: ["shell", "opensvc"],
  find(part) {
    const commands = parseCommands(part.text);
    return [
      ...backslashFaults(part),
      ...commands.flatMap((command) => [
        ...argumentFaults(part, command),
        ...expandedFaults(part, command),
        ...encodingFaults(part, command),
        ...jsonFaults(part, command),
        ...kubectlFaults(part, command),
        ...slurmFaults(part, command),
        ...converterFaults(part, command),
      ]),
      ...variableFaults(part, commands),
    ];
  },
};

function backslashFaults(part: Part): readonly Fault[] {
  return part.text.split("\n").flatMap((line, index, all): readonly Fault[] => {
    const isCut = /\\[ \t]+\r?$/.test(line) && !/^\s*#/.test(line) && /^\s*\S/.test(all[index + 1] ?? "");
    if (!isCut || !/^\s*(?:[$#>%]\s+)?(?:sudo\s+)?[A-Za-z-]/.test(line)) return [];
    return [
      {
        code: "WD050",
        line: part.line + index,
        message:
          "a space stands behind the backslash: the command ends here, and the next line is another command",
        right: "the backslash as the last character of the line",
        ...(part.isWhole
          ? {
              mend: {
                says: `line ${part.line + index} ends in its backslash`,
                apply: () =>
                  all
                    .map((text, at) => (at === index ? text.replace(/\\[ \t]+(\r?)$/, "\\$1") : text))
                    .join("\n"),
              },
            }
          : {}),
      },
    ];
  });
}

function argumentFaults(part: Part, command: ShellCommand): readonly Fault[] {
  const found = secretArgument(command);
  if (found === undefined) return [];
  return [
    {
      code: "WD051",
      line: part.line + command.index,
      message: `${found.where}: a secret on a command line is seen by every user of the machine`,
      right: found.right,
      command: found.command,
    },
  ];
}

/** `$oauthtoken` and its kin are names: a shell makes nothing of them. */
function expandedFaults(part: Part, command: ShellCommand): readonly Fault[] {
  const value = optionOf(command.words, ["-u", "--username", "--docker-username", "--user"]);
  const name = /^\$(?:oauthtoken|token|app)$/.exec(value?.text ?? "")?.[0];
  if (value === undefined || name === undefined || /^(?:'|\\)/.test(value.raw)) return [];
  return [
    {
      code: "WD054",
      line: part.line + command.index,
      message: `${value.raw}: the shell takes ${name} for a variable of its own, which is empty`,
      right: `'${name}'`,
    },
  ];
}

function encodingFaults(part: Part, command: ShellCommand): readonly Fault[] {
  if (command.program !== "base64") return [];
  const flags = command.words.map(({ text }) => text);
  if (flags.some((flag) => /^(?:-d|-D|--decode)$/.test(flag))) return [];
  const source = command.before.at(-1);
  const fed = [...(source?.words ?? []), ...command.words].map(({ text }) => text).join(" ");
  const line = part.line + command.index;
  const faults: Fault[] = [];
  const isOneLine =
    flags.some((flag) => /^(?:-w0|--wrap=0|-b0|-i)$/.test(flag)) ||
    /^0$/.test(optionOf(command.words, ["-w", "--wrap", "-b"])?.text ?? "");
  if (!isOneLine && /auth|config\.json|docker/i.test(fed))
    faults.push({
      code: "WD052",
      line,
      message: "base64 breaks its output at 76 columns, and a Secret with the breaks in it is refused",
      right: "base64 -w0",
    });
  const echoed = source?.words.filter(({ text }) => !/^-[neE]+$/.test(text)) ?? [];
  const isEcho = source?.program === "echo" && !source.words.some(({ text }) => /^-[eE]*n/.test(text));
  if (isEcho && /^[^{:\s]+:\S/.test(echoed[0]?.text ?? ""))
    faults.push({
      code: "WD053",
      line,
      message: "echo adds a line break, which becomes part of the secret",
      right: "printf %s",
    });
  return faults;
}

/** JSON of logins in a word: `echo '{"auths": …}' | base64`. */
function jsonFaults(part: Part, command: ShellCommand): readonly Fault[] {
  return command.words.flatMap(({ text }) => {
    const kind = text.startsWith("{") ? recognisePart(text) : "document";
    if (kind !== "auth-json" && kind !== "bare-auths") return [];
    const inner: Part = {
      ...part,
      kind,
      text,
      isWhole: false,
      reader: "kubelet",
      line: part.line + command.index,
    };
    return authFiles.find(inner);
  });
}

function slurmFaults(part: Part, command: ShellCommand): readonly Fault[] {
  if (!/^(?:SBATCH|#SBATCH|sbatch|salloc)$/.test(command.program)) return [];
  const exported = optionOf(command.words, ["--export"])?.text ?? "";
  const name = /(?:^|,)([A-Z0-9_]*(?:PASSWORD|PASSWD|TOKEN|SECRET|AUTH_CONFIG)[A-Z0-9_]*)=/i.exec(
    exported,
  )?.[1];
  if (name === undefined) return [];
  return [
    {
      code: "WD055",
      line: part.line + command.index,
      message: `--export with ${name}: slurmctld keeps it with the job, and accounting may`,
      right: "the login in a file of the home, which jobs find there",
      command: "wharf apply",
    },
  ];
}

function converterFaults(part: Part, command: ShellCommand): readonly Fault[] {
  const image = command.words.find(({ text }) => /(?:^|\/)docker2singularity(?:[:@].*)?$/.test(text));
  if (image === undefined) return [];
  return [
    {
      code: "WD045",
      line: part.line + command.index,
      message: `${image.text}: Apptainer and SingularityCE pull private images themselves, nvcr.io's too`,
      right: "apptainer pull docker://REGISTRY/IMAGE:TAG, once its login is delivered",
      command: "wharf apply",
    },
  ];
}
