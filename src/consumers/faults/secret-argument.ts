import { operandsOf, optionOf, type ShellCommand, type ShellWord } from "./shell-commands.ts";

/** A secret among the arguments of a command, and what does the job without. */
export interface SecretArgument {
  /** As in a message: `docker login -p`. */
  readonly where: string;
  readonly right: string;
  readonly command: string;
}

const LOGIN_PROGRAMS = [
  "docker",
  "podman",
  "nerdctl",
  "buildah",
  "skopeo",
  "crane",
  "oras",
  "regctl",
  "helm",
  "apptainer",
  "singularity",
];
const PAIR_OPTIONS: Readonly<Record<string, readonly string[]>> = {
  skopeo: ["--creds", "--src-creds", "--dest-creds"],
  podman: ["--creds"],
  buildah: ["--creds"],
  crictl: ["--creds"],
  ctr: ["--user", "-u"],
  curl: ["--user", "-u"],
};
const USER_OPTIONS = ["-u", "--username"];
const PASSWORD_OPTIONS = ["-p", "--password"];

/** The secret that a command line holds, a variable or `$(…)` too: the program's arguments have its value. undefined: none. */
export function secretArgument({ program, words }: ShellCommand): SecretArgument | undefined {
  return (
    loginArgument(program, words) ??
    pairArgument(program, words) ??
    kubectlArgument(program, words) ??
    containerArgument(program, words) ??
    storeArgument(program, words)
  );
}

function loginArgument(program: string, words: readonly ShellWord[]): SecretArgument | undefined {
  const at = words.slice(0, 3).findIndex(({ text }) => text === "login");
  if (!LOGIN_PROGRAMS.includes(program) || at < 0) return undefined;
  const rest = words.slice(at + 1);
  const password = optionOf(rest, PASSWORD_OPTIONS);
  if (password === undefined || rest.some(({ text }) => text === "--password-stdin")) return undefined;
  const registry = operandsOf(rest, [...USER_OPTIONS, ...PASSWORD_OPTIONS])[0]?.text;
  const shown = [program, ...words.slice(0, at + 1).map(({ text }) => text)].join(" ");
  const option =
    rest.find(({ text }) => text.startsWith("-p") || text.startsWith("--password"))?.text ?? "-p";
  return {
    where: `${shown} ${option.startsWith("--") ? "--password" : "-p"}`,
    right: "wharf login asks for it, or reads it by --password-stdin; wharf apply delivers it",
    command: renderLogin(registry ?? "docker.io", optionOf(rest, USER_OPTIONS)?.text),
  };
}

function pairArgument(program: string, words: readonly ShellWord[]): SecretArgument | undefined {
  for (const option of PAIR_OPTIONS[program] ?? []) {
    const value = optionOf(words, [option]);
    if (value === undefined || !/^[^:]+:./.test(value.text)) continue;
    if (program === "curl" && !words.some(({ text }) => /\/v2\/|registry/.test(text))) return undefined;
    const image = words.find(({ text }) =>
      /^(?:docker:\/\/|https?:\/\/)?[\w-]+(?:\.[\w-]+)+(?::\d+)?\//.test(text),
    )?.text;
    return {
      where: `${program} ${option} USER:SECRET`,
      right: "a login in the program's own file, which it reads by itself",
      command: renderLogin(image === undefined ? undefined : hostOf(image), value.text.split(":")[0]),
    };
  }
  return undefined;
}

function kubectlArgument(program: string, words: readonly ShellWord[]): SecretArgument | undefined {
  if (!/^(?:kubectl|oc|k3s)$/.test(program)) return undefined;
  if (optionOf(words, ["--docker-password"]) !== undefined)
    return {
      where: `${program} create secret docker-registry --docker-password`,
      right: "wharf login, then a delivery to kubernetes: the Secret without a secret on any command line",
      command: renderLogin(
        optionOf(words, ["--docker-server"])?.text ?? "docker.io",
        optionOf(words, ["--docker-username"])?.text,
      ),
    };
  const literal = words.find(({ text }) => /^--from-literal=\.docker(?:configjson|cfg)=/.test(text));
  if (literal === undefined) return undefined;
  return {
    where: `${program} create secret --from-literal`,
    right: "wharf login, then a delivery to kubernetes",
    command: renderLogin(undefined, undefined),
  };
}

function containerArgument(program: string, words: readonly ShellWord[]): SecretArgument | undefined {
  if (!/^(?:apptainer|singularity)$/.test(program)) return undefined;
  if (optionOf(words, ["--docker-password"]) === undefined) return undefined;
  const image = words.find(({ text }) => text.startsWith("docker://"))?.text;
  return {
    where: `${program} --docker-password`,
    right: "a login in docker-config.json",
    command: renderLogin(
      image === undefined ? undefined : hostOf(image),
      optionOf(words, ["--docker-username"])?.text,
    ),
  };
}

/** `om … key add --value`, and Run:ai's `--item password=`. */
function storeArgument(program: string, words: readonly ShellWord[]): SecretArgument | undefined {
  const isSec = words.some(({ text }) => /(?:^|\/)sec\//.test(text));
  if (/^(?:om|svcmgr|oc3)$/.test(program) && isSec && optionOf(words, ["--value"]) !== undefined)
    return {
      where: `${program} --value`,
      right: "--from a file of mode 0600, or --from /dev/stdin",
      command: renderLogin(undefined, undefined),
    };
  const item = optionOf(words, ["--item"])?.text ?? "";
  if (program !== "runai" || !/(?:^|,)password=/.test(item)) return undefined;
  return {
    where: "runai --item password=",
    right: "a labelled Secret, which Run:ai finds by itself",
    command: renderLogin(/(?:^|,)url=([^,]+)/.exec(item)?.[1], /(?:^|,)user=([^,]+)/.exec(item)?.[1]),
  };
}

/** The command that takes the login in; placeholders in capitals, as wharf's own texts have them. */
export function renderLogin(registry: string | undefined, username: string | undefined): string {
  const isName = (text: string | undefined): text is string =>
    text !== undefined && /^\$?[\w.@+:/-]+(?:\$[\w.+-]+)?$/.test(text) && !/^\$[A-Z_]+$/.test(text);
  const host =
    isName(registry) && !registry.startsWith("$")
      ? registry.replace(/^https?:\/\//, "").replace(/\/(?:v[12]\/?)?$/, "")
      : "REGISTRY";
  const folded = /^(?:index\.docker\.io|registry-1\.docker\.io)(?:\/v[12])?$/.test(host) ? "docker.io" : host;
  const user = isName(username) ? username : "USER";
  return `wharf login ${folded} -u ${user.includes("$") ? `'${user}'` : user}`;
}

function hostOf(image: string): string | undefined {
  return image.replace(/^(?:docker|https?):\/\//, "").split("/")[0];
}
