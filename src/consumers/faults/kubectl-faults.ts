import type { Fault, Part } from "./contract.ts";
import type { ShellCommand } from "./shell-commands.ts";

/** kubectl lines that do another thing than they seem to. */
export function kubectlFaults(part: Part, { program, words, index }: ShellCommand): readonly Fault[] {
  if (!/^(?:kubectl|oc)$/.test(program)) return [];
  const line = part.line + index;
  const has = (...wanted: readonly string[]): boolean =>
    wanted.every((word) => words.some(({ text }) => text === word));
  const faults: Fault[] = [];
  const account = words.some(({ text }) => /^(?:serviceaccounts?|sa)(?:\/.*)?$/.test(text));
  if (has("patch") && account && words.some(({ text }) => text.includes("imagePullSecrets")))
    faults.push({
      code: "WD027",
      line,
      message: "the patch replaces the whole list of imagePullSecrets: what others put there is gone",
      right: "append to the list that is there, under its resourceVersion",
    });
  const file = words.find(({ text }) => /^--from-file=\.docker(?:configjson|cfg)=/.test(text))?.text;
  if (has("create", "secret") && file !== undefined)
    faults.push({
      code: "WD024",
      line,
      message:
        "the whole config.json goes into the Secret: every other login in it too, and with credsStore none at all",
      right: "a Secret with the logins that are meant for it",
      command: "wharf render kubernetes",
    });
  if (has("label") && words.some(({ text }) => text.startsWith("runai/cluster-wide")))
    faults.push({
      code: "WD025",
      line,
      message: "runai/cluster-wide is the label of old Run:ai versions; newer ones do not look for it",
      right: "run.ai/cluster-wide=true run.ai/resource=docker-registry",
    });
  return faults;
}
