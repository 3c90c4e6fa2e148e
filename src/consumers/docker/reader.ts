import { Secret } from "#core";
import { parseEntry } from "../auth-entry.ts";
import { authsOf } from "../auth-file.ts";
import type { Match, MatchAnswer, Target } from "../contract.ts";
import { parseImageName } from "../image-name.ts";
import { fieldOf, type JsonObject, memberOf, parseJsonBytes, parseJsonText } from "../json-text.ts";
import { onceForBytes } from "../once-for-bytes.ts";
import { dockerKey, findInAuths, helperFor, mistypedSection, unreadableEntries } from "./docker-config.ts";
import { dockerFile } from "./writer.ts";

/** Name that stands for the environment variable where a file's path would. */
const VARIABLE = "$DOCKER_AUTH_CONFIG";

/** Which entry `docker pull IMAGE` would use: by host alone, from `DOCKER_AUTH_CONFIG` where the version knows it, else from config.json. */
export function matchDocker(
  files: ReadonlyMap<string, Uint8Array>,
  image: string,
  target: Target,
): MatchAnswer {
  const key = dockerKey(parseImageName(image).registry);
  const path = dockerFile(target);
  const shadows: string[] = [];
  const variable = target.env["DOCKER_AUTH_CONFIG"] ?? "";
  if (variable !== "" && knowsVariable(target.version)) {
    const answer = matchVariable(variable, key);
    if (answer !== undefined) return answer;
    shadows.push(`${VARIABLE} is set and holds nothing for ${key}`);
  }
  const bytes = files.get(path);
  if (bytes === undefined) return { kind: "anonymous", why: "there is no file", searched: [path] };
  return matchDockerFile({ path, bytes, keys: [key], shadows });
}

/**
 * docker/cli's own library on one file: for each key in turn the helper that applies, else the entry.
 * `broken` where it depends on chance or the file does not load.
 */
export function matchDockerFile(search: {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly keys: readonly string[];
  readonly shadows: readonly string[];
}): MatchAnswer {
  const { path, keys } = search;
  if (search.bytes.length === 0) return { kind: "anonymous", why: "the file is empty", searched: [path] };
  let file: ReturnType<typeof readDockerFile>;
  try {
    file = readDockerFile(search.bytes, path);
  } catch (fault) {
    return { kind: "broken", file: path, why: fault instanceof Error ? fault.message : "it does not parse" };
  }
  const { root, mistyped, bad } = file;
  if (mistyped !== undefined)
    return {
      kind: "broken",
      file: path,
      why: `${mistyped} has another type than docker decodes: the file does not load`,
    };
  if (bad !== undefined) {
    const why = `the entry ${bad} cannot be decoded; docker stops there, so this login is read or not by chance`;
    return { kind: "broken", file: path, why };
  }
  const shadows = [...search.shadows];
  for (const key of keys) {
    const helper = helperFor(root, key);
    const isExplicit = memberOf(fieldOf(root, "credHelpers")?.value, key) !== undefined;
    if (helper !== undefined && !isExplicit && key !== keys.at(-1)) {
      // A store keeps logins by host: asked for a repository it has none, and the host's key is next.
      shadows.push(`docker-credential-${helper} is asked for ${key} first`);
      continue;
    }
    if (helper !== undefined) {
      const hidden =
        memberOf(authsOf(root), key) === undefined ? [] : [`the entry ${key} of ${path} is not read`];
      return { kind: "helper", file: path, key, helper, shadows: [...shadows, ...hidden] };
    }
    const found = findInAuths(root, key);
    if (found.kind === "several") {
      const why = `no entry for ${key} itself; docker picks one of ${found.keys.join(", ")} at random`;
      return { kind: "broken", file: path, why };
    }
    if (found.kind === "none") continue;
    const match = usable(found.entry);
    if (match === undefined) {
      shadows.push(`the entry ${found.key} of ${path} is empty`);
      continue;
    }
    if (found.key !== key)
      shadows.push(`there is no entry for ${key} itself: ${found.key} serves for the whole host`);
    return { kind: "login", match: { file: path, key: found.key, ...match, shadows } };
  }
  const why = shadows.at(-1) ?? `no entry for ${keys.at(-1) ?? "this host"}`;
  return { kind: "anonymous", why, searched: [path] };
}

const readDockerFile = onceForBytes((bytes, path) => {
  const root = parseJsonBytes(bytes, path);
  return { root, mistyped: mistypedSection(root), bad: unreadableEntries(root)[0] };
});

/** `auth` before the inline pair; an identity token is used in place of the password. undefined: an empty entry. */
function usable(
  entry: ReturnType<typeof parseEntry>,
): Pick<Match, "username" | "secret" | "identityToken"> | undefined {
  const pair = entry.auth === "broken" ? undefined : entry.auth;
  const username = pair?.username ?? entry.username ?? "";
  const token = entry.identityToken ?? entry.registryToken;
  if (token !== undefined) return { username, secret: token, identityToken: true };
  const secret = pair?.secret ?? entry.password;
  if (username === "" && (secret === undefined || secret.length === 0)) return undefined;
  return { username, secret: secret ?? new Secret(""), identityToken: false };
}

/** docker/cli reads the variable strictly: one field too many and it is as if it were not set. */
function matchVariable(text: string, key: string): MatchAnswer | undefined {
  let root: JsonObject;
  try {
    root = parseJsonText(text, VARIABLE);
  } catch {
    // docker prints a warning and goes on to the file, so for the login it is as if the variable were unset.
    return undefined;
  }
  const entries = authsOf(root)?.members ?? [];
  const strict =
    root.members.every((member) => member.key.toLowerCase() === "auths") &&
    entries.every(
      ({ value }) =>
        value.kind === "object" && value.members.every((field) => field.key.toLowerCase() === "auth"),
    );
  const member = memberOf(authsOf(root), key);
  if (!strict || member === undefined) return undefined;
  const auth = parseEntry(member.value).auth;
  if (auth === "broken" || auth === undefined) return undefined;
  return {
    kind: "login",
    match: {
      file: VARIABLE,
      key,
      username: auth.username,
      secret: auth.secret,
      identityToken: false,
      shadows: [],
    },
  };
}

/** Since docker/cli 28.3; 28.2.2 was seen not to know it. An unknown version is taken for a new one. */
function knowsVariable(version: string | undefined): boolean {
  const parts = /(\d+)\.(\d+)/.exec(version ?? "");
  if (parts === null) return true;
  const [major, minor] = [Number(parts[1]), Number(parts[2])];
  return major > 28 || (major === 28 && minor >= 3);
}
