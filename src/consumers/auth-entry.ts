import { Secret } from "#core";
import type { ConsumerLogin } from "./contract.ts";
import { fieldOf, type JsonMember, type JsonNode, stringField } from "./json-text.ts";

/** Fields of an `auths` entry that carry a login; all others are somebody else's and stay. */
export const LOGIN_FIELDS = ["auth", "username", "password", "identitytoken", "registrytoken"] as const;

/** What `auth` decodes to. */
export interface AuthPair {
  readonly username: string;
  readonly secret: Secret;
}

/** An entry of `auths`, as far as programs read it. */
export interface AuthEntry {
  /** undefined: no `auth`, or an empty one. "broken": there, but not base64 of `user:password`. */
  readonly auth: AuthPair | "broken" | undefined;
  readonly username: string | undefined;
  readonly password: Secret | undefined;
  readonly identityToken: Secret | undefined;
  readonly registryToken: Secret | undefined;
}

/** base64 of `username:secret`, padded: the one form that every JSON consumer reads. */
export function renderAuth(username: string, secret: string): string {
  return Buffer.from(`${username}:${secret}`, "utf8").toString("base64");
}

/** The entry's fields as JSON text, as docker and podman write them. */
export function renderEntry(login: ConsumerLogin): Secret {
  // An identity token stands beside a blank password: podman ignores it without an `auth` that has a colon.
  const fields: Record<string, string> =
    login.identityToken === true
      ? { auth: renderAuth(login.username, ""), identitytoken: login.secret.reveal() }
      : { auth: renderAuth(login.username, login.secret.reveal()) };
  return new Secret(JSON.stringify(fields));
}

/** The login of an entry; never throws. Fields are found as Go finds them. */
export function parseEntry(node: JsonNode | undefined): AuthEntry {
  const auth = stringField(node, "auth");
  const authNode = fieldOf(node, "auth")?.value;
  const isOther = authNode !== undefined && authNode.kind !== "string" && !isNull(authNode);
  return {
    auth: isOther ? "broken" : auth === undefined || auth === "" ? undefined : parseAuth(auth),
    username: stringField(node, "username"),
    password: secretField(node, "password"),
    identityToken: secretField(node, "identitytoken"),
    registryToken: secretField(node, "registrytoken"),
  };
}

/** Decodes padded standard base64 of `user:password`, split at the first colon, NULs around the password dropped. */
export function parseAuth(text: string): AuthPair | "broken" {
  // Go's decoder skips line ends and wants the padding; Buffer would take nearly anything.
  const compact = text.replace(/[\r\n]/g, "");
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(compact)) return "broken";
  const pair = Buffer.from(compact, "base64").toString("utf8");
  const colon = pair.indexOf(":");
  if (colon < 0) return "broken";
  let from = colon + 1;
  let to = pair.length;
  while (from < to && pair[from] === "\0") from++;
  while (to > from && pair[to - 1] === "\0") to--;
  return { username: pair.slice(0, colon), secret: new Secret(pair.slice(from, to)) };
}

/**
 * Keys of entries that Go's decoder fails at, and with them at the whole file: no object, or a field that the program knows and that
 * is no text. null is as if it were not there.
 */
export function mistypedEntries(
  members: readonly JsonMember[],
  fields: readonly string[],
): readonly string[] {
  const isTyped = (entry: JsonNode): boolean =>
    entry.kind === "object"
      ? fields.every((name) => {
          const value = fieldOf(entry, name)?.value;
          return value === undefined || value.kind === "string" || isNull(value);
        })
      : isNull(entry);
  return members.filter((member) => !isTyped(member.value)).map((member) => member.key);
}

/** Is there something under this name that is neither an object nor null: Go's decoder fails at it. */
export function isMistypedSection(root: JsonNode, name: string): boolean {
  const section = fieldOf(root, name)?.value;
  return section !== undefined && section.kind !== "object" && !isNull(section);
}

/** In words, what of two entries is not the same; empty when they log in alike. Never content. */
export function differences(before: AuthEntry, after: AuthEntry): readonly string[] {
  const old = flat(before);
  const now = flat(after);
  const found: string[] = [];
  if (old.username !== now.username) found.push("username");
  if (old.secret !== now.secret) found.push("secret");
  if (old.token !== now.token) found.push("identity token");
  if (before.registryToken !== undefined) found.push("registry token");
  return found;
}

function flat(entry: AuthEntry): { username?: string; secret?: string; token?: string } {
  const pair = entry.auth === "broken" ? undefined : entry.auth;
  const username = pair?.username ?? entry.username;
  const secret = pair?.secret.reveal() ?? entry.password?.reveal();
  const token = entry.identityToken?.reveal();
  return {
    ...(username === undefined ? {} : { username }),
    ...(secret === undefined ? {} : { secret }),
    ...(token === undefined ? {} : { token }),
  };
}

function isNull(node: JsonNode): boolean {
  return node.kind === "literal" && node.value === null;
}

function secretField(node: JsonNode | undefined, name: string): Secret | undefined {
  const text = stringField(node, name);
  return text === undefined || text === "" ? undefined : new Secret(text);
}
