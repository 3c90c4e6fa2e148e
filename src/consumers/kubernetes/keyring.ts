import { Secret } from "#core";
import { type AuthPair, isMistypedSection, mistypedEntries, parseEntry } from "../auth-entry.ts";
import { authsOf } from "../auth-file.ts";
import { type JsonMember, type JsonObject, stringField } from "../json-text.ts";

/** A login under the key as the kubelet keeps it: no scheme, no `/v1/`. */
export interface KeyringEntry extends AuthPair {
  /** As it stands in the file. */
  readonly written: string;
  readonly key: string;
}

/** What one file gives: its entries, or why the kubelet reads none of them. */
export type Keyring = { readonly entries: readonly KeyringEntry[] } | { readonly broken: string };

/** Fields of an entry that the kubelet decodes. */
const KUBELET_FIELDS = ["auth", "username", "password", "email"];

/** The kubelet's own reading (pkg/credentialprovider config.go, keyring.go): inline pairs count, identity tokens and helpers do not. */
export function readKeyring(root: JsonObject): Keyring {
  if (isMistypedSection(root, "auths")) return { broken: "auths is no object" };
  return readEntries(authsOf(root)?.members ?? []);
}

/** The same of bare entries, as the old `.dockercfg` has them. */
export function readEntries(members: readonly JsonMember[]): Keyring {
  const entries: KeyringEntry[] = [];
  const mistyped = mistypedEntries(members, KUBELET_FIELDS);
  for (const member of members) {
    const pair = mistyped.includes(member.key) ? "broken" : pairOf(member);
    if (pair === "broken") return { broken: `the entry ${member.key} cannot be decoded` };
    const key = keyOf(member.key);
    if (key !== undefined) entries.push({ ...pair, written: member.key, key });
  }
  return { entries };
}

/**
 * Does an entry so written come before ours, or in any order with it, for some image of ours: another spelling of the same key, or one
 * for a part of it.
 */
export function takesFrom(written: string, ours: string): boolean {
  const theirs = keyOf(written);
  const key = keyOf(ours);
  return (
    written !== ours &&
    theirs !== undefined &&
    key !== undefined &&
    theirs.startsWith(key) &&
    isPart(theirs, key)
  );
}

/** Keys of entries with which every pull of a pod fails. */
export function fatalEntries(root: JsonObject): readonly string[] {
  const members = authsOf(root)?.members ?? [];
  const undecodable = members.filter((member) => pairOf(member) === "broken").map((member) => member.key);
  return [...new Set([...mistypedEntries(members, KUBELET_FIELDS), ...undecodable])];
}

/** Every entry that would be tried for an image, in order; Hub's old name only when nothing else fits. */
export function lookUp<Found extends KeyringEntry>(
  entries: readonly Found[],
  registry: string,
  repository: string,
): readonly Found[] {
  const image = `${registry}/${repository}`;
  // Reverse order of bytes: a longer path comes before its beginning.
  const keys = [...new Set(entries.map((entry) => entry.key))].sort((a, b) => (a < b ? 1 : a > b ? -1 : 0));
  const found = keys
    .filter((key) => fits(key, image))
    .flatMap((key) => entries.filter((entry) => entry.key === key));
  // To the kubelet a host without a dot or a port is Hub's too, so `localhost` gets Hub's login.
  if (found.length > 0 || /[.:]/.test(registry === "docker.io" ? "" : registry)) return found;
  return entries.filter((entry) => entry.key === "index.docker.io");
}

/** What is tried after the first of `lookUp`, in words. */
export function describeOthers([first, ...others]: readonly KeyringEntry[]): readonly string[] {
  return others.map((other) =>
    other.key === first?.key
      ? `${other.written} is the same key to the kubelet, which takes the two in any order`
      : `${other.written} is tried next`,
  );
}

function pairOf({ value }: JsonMember): AuthPair | "broken" {
  const { auth, username, password } = parseEntry(value);
  const text = stringField(value, "auth");
  if (text !== undefined && text !== "") return parseKubeletAuth(text);
  if (auth === "broken") return "broken";
  return { username: username ?? "", secret: password ?? new Secret("") };
}

/** The kubelet takes base64 without its padding too, and keeps NULs around a password, which docker drops. */
function parseKubeletAuth(text: string): AuthPair | "broken" {
  // Go's decoder skips line ends; whether padding is wanted is seen by the text's end.
  const isPadded = text.trim().endsWith("=");
  const compact = text.replace(/[\r\n]/g, "");
  const shape = isPadded
    ? /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)$/
    : /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2,3})?$/;
  if (!shape.test(compact)) return "broken";
  const pair = Buffer.from(compact, "base64").toString("utf8");
  const colon = pair.indexOf(":");
  if (colon < 0) return "broken";
  return { username: pair.slice(0, colon), secret: new Secret(pair.slice(colon + 1)) };
}

function keyOf(written: string): string | undefined {
  const found = /^(?:https?:\/\/)?(?:[^/?#@]*@)?([^/?#]+)([^?#]*)/.exec(written);
  if (found === null) return undefined;
  const host = found[1] ?? "";
  let path = decodePath(found[2] ?? "");
  if (path === undefined) return undefined;
  // With a slash behind it only: `https://reg/v2` keeps its path and fits no image.
  if (/^\/v[12]\//.test(path)) path = path.slice(3);
  return path === "" || path === "/" ? host : host + path;
}

/** undefined for what Go's URL parser refuses: such an entry is left out. */
function decodePath(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** Does a key, as the kubelet keeps it, or a plugin's matchImages, fit an image's registry and repository. */
export function fits(key: string, image: string): boolean {
  const [glob, keyPath] = cut(key);
  const [host, path] = cut(image);
  const [globName, globPort] = portOf(glob);
  const [name, port] = portOf(host);
  const globs = globName.split(".");
  const labels = name.split(".");
  return (
    globPort === port &&
    globs.length === labels.length &&
    path.startsWith(keyPath) &&
    globs.every((part, index) => globFits(part, labels[index] ?? ""))
  );
}

function isPart(longer: string, key: string): boolean {
  return longer === key || key.includes("/") || longer[key.length] === "/";
}

function cut(text: string): readonly [string, string] {
  const slash = text.indexOf("/");
  return slash < 0 ? [text, ""] : [text.slice(0, slash), text.slice(slash)];
}

function portOf(host: string): readonly [string, string] {
  const found = /^(\[[^\]]*\]|[^:]*):([^:]*)$/.exec(host);
  return found === null ? [host, ""] : [found[1] ?? "", found[2] ?? ""];
}

/** One label against a glob with `*` and `?` (Go's filepath.Match); linear in both, since globs come from outside. */
function globFits(glob: string, label: string): boolean {
  let g = 0;
  let l = 0;
  let star = -1;
  let mark = 0;
  while (l < label.length) {
    if (glob[g] === "*") {
      star = g++;
      mark = l;
    } else if (g < glob.length && (glob[g] === "?" || glob[g] === label[l])) {
      g++;
      l++;
    } else if (star >= 0) {
      g = star + 1;
      l = ++mark;
    } else return false;
  }
  while (glob[g] === "*") g++;
  return g === glob.length;
}
