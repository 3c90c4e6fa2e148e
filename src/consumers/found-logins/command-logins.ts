import { Secret } from "#core";
import { recognisePart } from "../faults/recognise-part.ts";
import {
  operandsOf,
  optionOf,
  parseCommands,
  type ShellCommand,
  type ShellWord,
} from "../faults/shell-commands.ts";
import { authLogins } from "./auth-logins.ts";
import type { FoundLogins, RawLogin } from "./contract.ts";
import { gather, joinFound, NOTHING } from "./gathered.ts";

const USER = ["-u", "--username"];
const PASSWORD = ["-p", "--password"];
const LOGIN_PROGRAMS =
  /^(?:docker|podman|nerdctl|buildah|skopeo|crane|oras|regctl|helm|apptainer|singularity)$/;

/** The logins that command lines make: `docker login`, `kubectl create secret`, JSON in a word; nothing is run, files are only named. */
export function commandLogins(text: string, path: string, firstLine: number): FoundLogins {
  return joinFound(
    parseCommands(text).flatMap((command) => {
      const where = `${path}:${firstLine + command.index}`;
      return [
        loginCommand(command, where),
        kubectlCommand(command, where),
        jsonWords(command, where),
        pairVariables(command, where),
      ];
    }),
  );
}

function loginCommand({ program, words, before }: ShellCommand, where: string): FoundLogins {
  const at = words.slice(0, 3).findIndex(({ text }) => text === "login");
  if (!LOGIN_PROGRAMS.test(program) || at < 0) return NOTHING;
  const rest = words.slice(at + 1);
  const username = optionOf(rest, USER)?.text;
  const typed = optionOf(rest, PASSWORD);
  const isPiped = rest.some(({ text }) => text === "--password-stdin");
  const secret = typed === undefined || isPiped ? pipedSecret(rest, before) : secretOf(typed);
  if (username === undefined || secret === undefined) return NOTHING;
  const end = rest.findIndex(({ text }) => text === "<");
  const registry =
    operandsOf(end < 0 ? rest : rest.slice(0, end), [...USER, ...PASSWORD])[0]?.text ?? "docker.io";
  return gather([{ registry, username, secret, where }]);
}

/** `cat FILE | docker login --password-stdin`, or `< FILE`. */
function pipedSecret(
  words: readonly ShellWord[],
  before: readonly ShellCommand[],
): RawLogin["secret"] | undefined {
  const source = before.at(-1);
  const redirected = words.findIndex(({ text }) => text === "<");
  const file =
    source?.program === "cat"
      ? source.words[0]?.text
      : redirected < 0
        ? undefined
        : words[redirected + 1]?.text;
  if (file !== undefined) return { file };
  const echoed =
    source !== undefined && /^(?:echo|printf)$/.test(source.program) ? source.words.at(-1) : undefined;
  return echoed === undefined ? undefined : secretOf(echoed);
}

function kubectlCommand({ program, words }: ShellCommand, where: string): FoundLogins {
  if (!/^(?:kubectl|oc)$/.test(program) || !words.some(({ text }) => text === "secret")) return NOTHING;
  const references = words.flatMap(({ text }) => {
    const file = /^--from-file=\.docker(?:configjson|cfg)=(.+)$/.exec(text)?.[1];
    return file === undefined || /^<.*>$/.test(file) ? [] : [{ file, where }];
  });
  const username = optionOf(words, ["--docker-username"])?.text;
  const password = optionOf(words, ["--docker-password"]);
  const registry = optionOf(words, ["--docker-server"])?.text ?? "docker.io";
  const raw =
    username === undefined || password === undefined
      ? []
      : [{ registry, username, secret: secretOf(password), where }];
  return { ...gather(raw), references };
}

function jsonWords({ words, assigned }: ShellCommand, where: string): FoundLogins {
  return joinFound(
    [...words, ...assigned.map(({ value }) => value)].map(({ text }) => {
      const kind = text.startsWith("{") ? recognisePart(text) : "document";
      return kind === "auth-json" || kind === "bare-auths" ? authLogins(text, where) : NOTHING;
    }),
  );
}

/** A pair for every registry and for none: it cannot be told whose it is. */
function pairVariables({ assigned }: ShellCommand, where: string): FoundLogins {
  const name = assigned.find(({ name }) => /^(?:SINGULARITY|APPTAINER)_DOCKER_PASSWORD$/.test(name))?.name;
  if (name === undefined) return NOTHING;
  return {
    ...NOTHING,
    unusable: [
      { where, why: `${name} is for no registry in particular`, command: "wharf login REGISTRY -u USER" },
    ],
  };
}

function secretOf(word: ShellWord): RawLogin["secret"] {
  const file = /^"?\$\(\s*cat\s+([^()]+?)\s*\)"?$/.exec(word.raw)?.[1];
  return file === undefined ? new Secret(word.text) : { file: file.replace(/^["']|["']$/g, "") };
}
