import { openVars, parseVars, REGISTRY_LIST, readRegistryList } from "#ansible";
import { isAppError } from "#core";
import type { MatchAnswer, Target } from "../contract.ts";
import { dockerKey, HUB_KEY } from "../docker/docker-config.ts";
import { matchDockerFile } from "../docker/reader.ts";
import { parseImageName } from "../image-name.ts";
import { onceForBytes } from "../once-for-bytes.ts";
import { varsFile } from "./writer.ts";

/**
 * What root's docker uses for an image after the role's play: each entry in turn becomes one of its config.json, under the name as it is
 * written, and docker's own look-up follows. What the nodes' file held before is not seen here.
 */
export function matchAnsible(
  files: ReadonlyMap<string, Uint8Array>,
  image: string,
  target: Target,
): MatchAnswer {
  const path = varsFile(target);
  const bytes = files.get(path);
  if (bytes === undefined) return { kind: "anonymous", why: "there is no file", searched: [path] };
  const broken = (why: string): MatchAnswer => ({ kind: "broken", file: path, why });
  let play: Play;
  try {
    play = readPlay(bytes, path, target.vaultPasswords, target.options?.["name"]);
  } catch (fault) {
    if (isAppError(fault)) return broken(fault.message);
    throw fault;
  }
  if (play === "no list") return { kind: "anonymous", why: "it has no such list", searched: [path] };
  if (play.broken !== undefined) return broken(`${play.broken}, so the play stops`);
  const { config, unknown } = play;
  const key = dockerKey(parseImageName(image).registry);
  const answer = matchDockerFile({
    path,
    bytes: config,
    keys: [key],
    shadows: [],
  });
  if (answer.kind !== "login") return answer;
  const why = unknown.get(answer.match.key);
  return why === undefined ? answer : broken(`the entry ${answer.match.key}: ${why}`);
}

/** What the play makes of the list: a config.json, and by its keys what cannot be known here. */
type Play =
  | "no list"
  | {
      readonly broken: string | undefined;
      readonly config: Uint8Array;
      readonly unknown: ReadonlyMap<string, string>;
    };

/** The same file under the same passwords is opened once: that is meant to be slow. */
const readPlay = onceForBytes((bytes, path, passwords: Target["vaultPasswords"], name: unknown): Play => {
  const { clear } = openVars(new TextDecoder().decode(bytes), passwords ?? [], path);
  const variable = typeof name === "string" ? name : REGISTRY_LIST;
  const list = readRegistryList(parseVars(clear, path), passwords ?? [], variable);
  if (list === undefined) return "no list";
  const auths: Record<string, { readonly auth: string }> = {};
  const unknown = new Map<string, string>();
  for (const { registry = HUB_KEY, username, password } of list.entries) {
    const isKnown = username.kind === "text" && password.kind === "text";
    unknown.delete(registry);
    if (!isKnown)
      unknown.set(
        registry,
        [username, password].flatMap((value) => (value.kind === "unknown" ? value.why : []))[0] ?? "",
      );
    const pair = isKnown ? `${username.text.reveal()}:${password.text.reveal()}` : "unknown:unknown";
    auths[registry] = { auth: Buffer.from(pair).toString("base64") };
  }
  return { broken: list.broken, config: Buffer.from(JSON.stringify({ auths })), unknown };
});
