import { authsOf } from "../auth-file.ts";
import { parseJsonText } from "../json-text.ts";
import type { Fault, Part } from "./contract.ts";
import { recognisePart } from "./recognise-part.ts";
import type { ShellCommand } from "./shell-commands.ts";

const PAIR = /^((?:SINGULARITY|APPTAINER)_DOCKER|DOCKER|CH_IMAGE)_(?:USERNAME|PASSWORD)$/;

/** Variables that a script or an environment module sets: pairs for every registry, and names that mean something else. */
export function variableFaults(part: Part, commands: readonly ShellCommand[]): readonly Fault[] {
  const set = [...shellVariables(commands), ...moduleVariables(part.text)];
  const pairs = Map.groupBy(
    set.filter(({ name }) => PAIR.test(name)),
    ({ name }) => PAIR.exec(name)?.[1] ?? "",
  );
  return [
    ...[...pairs].map(([prefix, [first]]) => pairFault(part, prefix, first?.index ?? 0)),
    ...set.flatMap((variable) => nameFault(part, variable) ?? []),
  ];
}

interface SetVariable {
  readonly name: string;
  readonly value: string;
  readonly index: number;
}

function shellVariables(commands: readonly ShellCommand[]): readonly SetVariable[] {
  return commands.flatMap(({ assigned, program, words, index }) => [
    ...assigned.map(({ name, value }) => ({ name, value: value.text, index })),
    // csh, and Tcl modules.
    ...(program === "setenv" && words[0] !== undefined
      ? [{ name: words[0].text, value: words[1]?.text ?? "", index }]
      : []),
  ]);
}

/** `setenv("NAME", "value")` of Lmod; `set NAME` and YAML are somebody else's. */
function moduleVariables(text: string): readonly SetVariable[] {
  return text.split("\n").flatMap((line, index) => {
    const found = /^\s*(?:pushenv|setenv)\s*\(\s*["']([A-Z_]+)["']\s*,\s*(.*?)\s*\)/.exec(line);
    return found === null
      ? []
      : [{ name: found[1] ?? "", value: (found[2] ?? "").replace(/^["']|["']$/g, ""), index }];
  });
}

function pairFault(part: Part, prefix: string, index: number): Fault {
  return {
    code: "WD042",
    line: part.line + index,
    message: `${prefix}_USERNAME and ${prefix}_PASSWORD: the one pair is sent to every registry, makes public pulls fail, and goes along into jobs and containers`,
    right: "the login in docker-config.json, and the variables unset",
    command: "wharf apply",
  };
}

/** docker decodes the variable strictly (docker/cli: parseEnvConfig). */
function isTooMuch(text: string): boolean {
  if (recognisePart(text) !== "auth-json") return false;
  const root = parseJsonText(text, "");
  const entries = authsOf(root)?.members ?? [];
  const isAlone = root.members.every(({ key }) => key.toLowerCase() === "auths");
  return !(
    isAlone &&
    entries.every(
      ({ value }) =>
        value.kind === "object" && value.members.every(({ key }) => key.toLowerCase() === "auth"),
    )
  );
}

function nameFault(part: Part, { name, value, index }: SetVariable): Fault | undefined {
  const fault = (message: string, right: string): Fault => ({
    code: "WD044",
    line: part.line + index,
    message,
    right,
  });
  if (name === "DOCKER_CONFIG" && value.endsWith(".json"))
    return fault(
      "DOCKER_CONFIG names a file, and docker takes it for a folder",
      `DOCKER_CONFIG=${value.replace(/\/[^/]*$/, "")}`,
    );
  if (name === "DOCKER_AUTH_CONFIG" && isTooMuch(value))
    return {
      ...fault(
        "DOCKER_AUTH_CONFIG has fields beside auths and auth, and docker refuses all of it",
        '{"auths": {"HOST": {"auth": …}}} and nothing else',
      ),
      code: "WD046",
    };
  if (name === "REGISTRY_AUTH_FILE" && /(?:\/|\/\.docker|\/containers)$/.test(value))
    return fault(
      "REGISTRY_AUTH_FILE names a folder, and podman reads a file",
      `REGISTRY_AUTH_FILE=${value.replace(/\/$/, "")}/auth.json`,
    );
  if (name === "SINGULARITY_AUTH_FILE")
    return fault(
      "SingularityCE does not know SINGULARITY_AUTH_FILE",
      "SINGULARITY_AUTHFILE, without the second underscore",
    );
  if (name === "APPTAINER_AUTHFILE")
    return fault("Apptainer does not know APPTAINER_AUTHFILE", "APPTAINER_AUTH_FILE");
  return undefined;
}
