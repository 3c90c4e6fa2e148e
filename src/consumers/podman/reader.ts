import { parseEntry } from "../auth-entry.ts";
import { authsOf } from "../auth-file.ts";
import type { MatchAnswer, Target } from "../contract.ts";
import { parseImageName } from "../image-name.ts";
import {
  fieldOf,
  type JsonMember,
  type JsonNode,
  type JsonObject,
  memberOf,
  parseJsonBytes,
} from "../json-text.ts";
import { mistypedIn } from "./auth-json.ts";
import { type AuthPath, podmanPaths } from "./paths.ts";

interface Wanted {
  readonly registry: string;
  readonly name: string;
}

/** Which entry Podman, Buildah and Skopeo would use: the first file with one that holds a login; credsStore is not known to them. */
export function matchPodman(
  files: ReadonlyMap<string, Uint8Array>,
  image: string,
  target: Target,
): MatchAnswer {
  const { registry, repository } = parseImageName(image);
  const wanted: Wanted = { registry, name: `${registry}/${repository}` };
  const shadows: string[] = [];
  const searched: string[] = [];
  for (const place of podmanPaths(target)) {
    searched.push(place.path);
    const bytes = files.get(place.path);
    if (bytes === undefined) continue;
    const answer = matchFile(bytes, place, wanted, shadows);
    if (typeof answer === "object") return answer;
    shadows.push(answer);
  }
  const why = shadows.length === 0 ? "there is no file" : shadows.join("; ");
  return { kind: "anonymous", why, searched };
}

/** The file's answer, or in words why the search goes on. */
function matchFile(
  bytes: Uint8Array,
  place: AuthPath,
  wanted: Wanted,
  shadows: readonly string[],
): MatchAnswer | string {
  const { path } = place;
  const broken = (why: string): MatchAnswer => ({ kind: "broken", file: path, why });
  if (bytes.length === 0) return broken("the file is empty, which podman takes for a fault");
  let root: JsonObject;
  try {
    root = parseJsonBytes(bytes, path);
  } catch (fault) {
    return broken(fault instanceof Error ? fault.message : "it does not parse");
  }
  const mistyped = mistypedIn(root, place.form);
  if (mistyped !== undefined)
    return broken(`${mistyped} has another type than podman decodes: no entry is read`);
  const helper = memberOf(fieldOf(root, "credHelpers")?.value, wanted.registry)?.value;
  if (helper !== undefined && place.form === "auth.json") return helperAnswer(path, wanted, helper, shadows);
  const members = (place.form === "dockercfg" ? root : authsOf(root))?.members ?? [];
  const found = lookUp(members, place, wanted);
  const [answer = `no entry for ${wanted.registry} in ${path}`, ...others] = found.map((member) =>
    entryAnswer(member, path, shadows),
  );
  // By chance one of them is read; that none of them holds a login is no chance.
  if (others.length > 0 && [answer, ...others].some((one) => typeof one === "object"))
    return broken(
      `${found.map((member) => member.key).join(", ")} mean the same host; podman picks one at random`,
    );
  return answer;
}

/** What one entry gives, or in words why the search goes on. */
function entryAnswer(member: JsonMember, path: string, shadows: readonly string[]): MatchAnswer | string {
  const entry = parseEntry(member.value);
  if (entry.auth === "broken") {
    if (hasColonless(member.value)) return `the entry ${member.key} of ${path} holds no user:password`;
    return { kind: "broken", file: path, why: `the entry ${member.key} cannot be decoded` };
  }
  const isBlank = entry.auth?.username === "" && entry.auth.secret.length === 0;
  if (isBlank && entry.identityToken === undefined) return `the entry ${member.key} of ${path} is empty`;
  if (entry.auth === undefined)
    return `the entry ${member.key} of ${path} holds no \`auth\`, the one field that podman reads`;
  const identityToken = entry.identityToken !== undefined;
  const secret = entry.identityToken ?? entry.auth.secret;
  return {
    kind: "login",
    match: {
      file: path,
      key: member.key,
      username: entry.auth.username,
      secret,
      identityToken,
      shadows: [...shadows],
    },
  };
}

/** Exact keys from the longest, then those that are the host when written plainly. */
function lookUp(members: readonly JsonMember[], place: AuthPath, wanted: Wanted): readonly JsonMember[] {
  const keys = place.form === "dockercfg" ? [wanted.registry] : prefixes(wanted.name);
  for (const key of keys) {
    const exact = members.find((member) => member.key === key);
    if (exact !== undefined) return [exact];
  }
  return members.filter((member) => plainKey(member.key, place) === plainHost(wanted.registry));
}

function prefixes(name: string): readonly string[] {
  const segments = name.split("/");
  return segments.map((_, index) => segments.slice(0, segments.length - index).join("/"));
}

function plainKey(key: string, place: AuthPath): string {
  const bare = key.replace(/^http:\/\//, "").replace(/^https:\/\//, "");
  const isUrl = bare !== key || place.form === "dockercfg";
  return plainHost(isUrl ? (bare.split("/", 1)[0] ?? "") : bare);
}

function plainHost(host: string): string {
  return host === "docker.io" || host === "registry-1.docker.io" ? "index.docker.io" : host;
}

/** base64 of something without a colon is skipped; what is no base64 stops the pull. */
function hasColonless(entry: JsonNode): boolean {
  const auth = fieldOf(entry, "auth")?.value;
  return (
    auth?.kind === "string" &&
    Buffer.from(auth.value, "base64").toString("base64") === auth.value.replace(/[\r\n]/g, "")
  );
}

function helperAnswer(
  path: string,
  wanted: Wanted,
  helper: JsonNode,
  shadows: readonly string[],
): MatchAnswer {
  const name = helper.kind === "string" ? helper.value : "";
  if (name === "")
    return {
      kind: "broken",
      file: path,
      why: `credHelpers has an empty helper for ${wanted.registry}; podman fails to run it`,
    };
  return { kind: "helper", file: path, key: wanted.registry, helper: name, shadows: [...shadows] };
}
