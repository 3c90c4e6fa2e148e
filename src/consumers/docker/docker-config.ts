import { type AuthEntry, isMistypedSection, mistypedEntries, parseEntry } from "../auth-entry.ts";
import { authsOf } from "../auth-file.ts";
import { fieldOf, type JsonObject, memberOf, stringField } from "../json-text.ts";

/** The key that every docker/cli version uses for Hub; `docker.io` as a key is never found. */
export const HUB_KEY = "https://index.docker.io/v1/";

/** Key of a canonical registry in `auths` and `credHelpers`. */
export function dockerKey(registry: string): string {
  return registry === "docker.io" || registry === "index.docker.io" ? HUB_KEY : registry;
}

/** The host that docker/cli's fallback compares a key by: scheme and path cut off. */
export function hostOfKey(key: string): string {
  const url = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#@]*@)?([^/?#]+)/i.exec(key);
  return url?.[1]?.replace(/:$/, "") ?? key.split("/", 1)[0] ?? "";
}

const DOCKER_FIELDS = ["auth", "username", "password", "serveraddress", "identitytoken", "registrytoken"];

/** A section that Go's decoder fails at, and with it at the file; undefined when all are well. Sections without logins are not looked into. */
export function mistypedSection(root: JsonObject): string | undefined {
  for (const name of ["auths", "credHelpers", "HttpHeaders"]) if (isMistypedSection(root, name)) return name;
  const store = fieldOf(root, "credsStore")?.value;
  if (store !== undefined && store.kind !== "string" && !(store.kind === "literal" && store.value === null))
    return "credsStore";
  const helpers = fieldOf(root, "credHelpers")?.value;
  const isText = helpers?.kind !== "object" || helpers.members.every(({ value }) => value.kind === "string");
  return isText ? undefined : "credHelpers";
}

/** Keys of entries that make docker/cli stop in the middle of the file: the rest is then read or not by chance. */
export function unreadableEntries(root: JsonObject): readonly string[] {
  const members = authsOf(root)?.members ?? [];
  const mistyped = mistypedEntries(members, DOCKER_FIELDS);
  return members
    .filter((member) => {
      if (mistyped.includes(member.key)) return true;
      const entry = parseEntry(member.value);
      return entry.auth === "broken" || entry.auth?.username === "";
    })
    .map((member) => member.key);
}

/** The helper that answers for a key instead of the file: `credHelpers` first (an empty one means the file), then `credsStore`. */
export function helperFor(root: JsonObject, key: string): string | undefined {
  const own = memberOf(fieldOf(root, "credHelpers")?.value, key)?.value;
  const helper = own?.kind === "string" ? own.value : stringField(root, "credsStore");
  return helper === undefined || helper === "" ? undefined : helper;
}

/** What docker/cli finds for a key: the exact entry, else those whose host is the key (it takes one of them at random). */
export type Found =
  | { readonly kind: "one"; readonly key: string; readonly entry: AuthEntry }
  | { readonly kind: "several"; readonly keys: readonly string[] }
  | { readonly kind: "none" };

/** docker/cli's file store (cli/config/credentials/file_store.go): no path scoping, exact key before the fallback by host. */
export function findInAuths(root: JsonObject, key: string): Found {
  const auths = authsOf(root);
  const exact = memberOf(auths, key);
  if (exact !== undefined) return { kind: "one", key, entry: parseEntry(exact.value) };
  const near = (auths?.members ?? []).filter((member) => hostOfKey(member.key) === key);
  const [first] = near;
  if (first === undefined) return { kind: "none" };
  if (near.length > 1) return { kind: "several", keys: near.map((member) => member.key) };
  return { kind: "one", key: first.key, entry: parseEntry(first.value) };
}
