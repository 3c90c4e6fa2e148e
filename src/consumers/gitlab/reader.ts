import { Secret } from "#core";
import { parseEntry } from "../auth-entry.ts";
import { authsOf } from "../auth-file.ts";
import type { MatchAnswer, Target } from "../contract.ts";
import { mistypedSection, unreadableEntries } from "../docker/docker-config.ts";
import { parseImageName } from "../image-name.ts";
import { fieldOf, type JsonMember, type JsonObject, parseJsonBytes, stringField } from "../json-text.ts";
import { onceForBytes } from "../once-for-bytes.ts";

/** Where the value is kept to be put into the variable: `DOCKER_AUTH_CONFIG` in the home, or what the delivery names as `file:`. */
export function gitlabFile(target: Target): string {
  const file = target.options?.["file"];
  return typeof file === "string" && file.startsWith("/") ? file : `${target.home}/DOCKER_AUTH_CONFIG.json`;
}

/**
 * The entry by which GitLab Runner pulls a job's image (helpers/docker/auth): the repository's name and its beginnings, segment by
 * segment, the longest first. What the runner's own home and the job's token hold comes after, and is not seen here.
 */
export function matchGitlab(
  files: ReadonlyMap<string, Uint8Array>,
  image: string,
  target: Target,
): MatchAnswer {
  const { registry, repository } = parseImageName(image);
  const path = gitlabFile(target);
  const bytes = files.get(path);
  if (bytes === undefined) return { kind: "anonymous", why: "there is no file", searched: [path] };
  const broken = (why: string): MatchAnswer => ({ kind: "broken", file: path, why });
  let value: Value;
  try {
    value = readValue(bytes, path);
  } catch (fault) {
    return broken(fault instanceof Error ? fault.message : "it does not parse");
  }
  if (typeof value === "string") return broken(value);
  for (const wanted of beginnings(`${registry}/${repository}`)) {
    const [found, ...others] = value.get(wanted) ?? [];
    if (found === undefined) continue;
    if (others.length > 0)
      return broken(
        `${[found, ...others].map(({ key }) => key).join(", ")} mean the same; the runner takes one at random`,
      );
    const entry = parseEntry(found.value);
    const pair = typeof entry.auth === "object" ? entry.auth : undefined;
    const username = pair?.username ?? entry.username ?? "";
    const secret = entry.identityToken ?? pair?.secret ?? entry.password ?? new Secret("");
    if (username === "" && secret.length === 0)
      return { kind: "anonymous", why: `the entry ${found.key} is empty`, searched: [path] };
    const identityToken = entry.identityToken !== undefined;
    return {
      kind: "login",
      match: { file: path, key: found.key, username, secret, identityToken, shadows: [] },
    };
  }
  return { kind: "anonymous", why: `no entry for ${registry}`, searched: [path] };
}

/** The entries by what they are looked up as, or why the runner reads none of them. */
type Value = ReadonlyMap<string, readonly JsonMember[]> | string;

const readValue = onceForBytes((bytes, path): Value => {
  const root = parseJsonBytes(bytes, path);
  const bad = mistypedSection(root) ?? unreadableEntries(root)[0];
  if (bad !== undefined) return `${bad} cannot be decoded, so the runner reads nothing of the value`;
  const helper = namesHelpers(root);
  if (helper !== undefined)
    return `${helper} names a helper: the runner asks it too, and where it fails reads nothing of the value`;
  return Map.groupBy(authsOf(root)?.members ?? [], ({ key }) => lookedUpAs(key));
});

/** Which of the two sections names a helper; undefined when none does. */
export function namesHelpers(root: JsonObject): string | undefined {
  if ((stringField(root, "credsStore") ?? "") !== "") return "credsStore";
  const helpers = fieldOf(root, "credHelpers")?.value;
  return helpers?.kind === "object" && helpers.members.length > 0 ? "credHelpers" : undefined;
}

/** A URL stands for its host alone, Hub's old name for Hub; a tag and a slash at the end are cut off. */
export function lookedUpAs(key: string): string {
  const bare = key.replace(/^https?:\/\//i, "");
  if (bare !== key) {
    const host = (bare.split("/", 1)[0] ?? "").toLowerCase();
    return host === "index.docker.io" ? "docker.io" : host;
  }
  const path = key.endsWith("/") ? key.slice(0, -1) : key;
  const slash = path.lastIndexOf("/");
  const colon = path.lastIndexOf(":");
  const untagged = slash >= 0 && colon > slash ? path.slice(0, colon) : path;
  const [host = "", ...rest] = untagged.split("/");
  return [host.toLowerCase(), ...rest].join("/");
}

function beginnings(name: string): readonly string[] {
  const segments = name.split("/");
  return segments.map((_, index) => segments.slice(0, segments.length - index).join("/"));
}
