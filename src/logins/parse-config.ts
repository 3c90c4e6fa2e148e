import { dirname, isAbsolute, join, resolve } from "node:path";
import { isScalar } from "yaml";
import { AppError, isAppError, parseName } from "#core";
import { parseRegistry } from "#oci";
import { parseAnsibleSource } from "./ansible-source.ts";
import { refuseCollisions } from "./collisions.ts";
import type { Delivery, DeliveryPlace, Login, SecretSource, WharfConfig } from "./contract.ts";
import { parseExchange } from "./exchange-source.ts";
import { parseKubernetesSource } from "./kubernetes-source.ts";
import { parsePlace } from "./parse-place.ts";
import { refuseTokens, secretInConfig } from "./secret-scan.ts";
import { parseVaultPassword } from "./vault-password.ts";
import { type Field, YamlReader } from "./yaml-reader.ts";

const TOP = ["version", "logins", "deliver"] as const;
const LOGIN = [
  "registry",
  "username",
  "password",
  "identity-token",
  "expires",
  "plain-http",
  "ca",
  "realm-hosts",
  "renew",
] as const;
/** Keys of a `deliver:` line that are ours; the rest are the consumers' and come with them. */
const DELIVERY = ["to", "at", "logins", "users", "sudo"] as const;
const DELIVERY_OPTIONS = [
  "name",
  "namespace",
  "namespaces",
  "service-accounts",
  "take-over",
  "scope",
  "file",
  "helper",
  "bin-dir",
  "executable",
  "program",
  "module",
  "curl",
  "kustomization",
  "clear",
  "project",
  "projects",
  "department",
  "labels",
  "vault",
  "vault-id",
  "vault-password",
  "services",
  "version",
] as const;
const LOCAL = { kind: "local", text: "local" } as const;
const SOURCES = [
  "vault",
  "env",
  "file",
  "command",
  "exchange",
  "docker-config",
  "ansible-vault",
  "kubernetes",
] as const;

/** All keys of wharf.yaml, for the reference and completion. */
export const configKeys = {
  top: TOP,
  login: LOGIN,
  delivery: [...DELIVERY, ...DELIVERY_OPTIONS],
  sources: SOURCES,
};

/**
 * wharf.yaml as a value. `path` is absolute; relative `file:`, `ca:` and `folder:` are taken from its folder, `~/` from `home`.
 * Throws CONFIG_INVALID, SECRET_IN_CONFIG or LOGINS_COLLIDE, each with `file:line:column`; no message repeats a value that might
 * be a secret. `mayCollide`: two logins for the same images are let pass, for whoever takes one of them out.
 */
export function parseConfig(path: string, text: string, home: string, rule: ConfigRule = {}): WharfConfig {
  refuseTokens(path, text);
  const reader = new YamlReader(path, text);
  const top = reader.knownFields(reader.root, "wharf.yaml", TOP);
  readVersion(reader, top.get("version"));
  const paths = { folder: dirname(path), home };
  const logins = new Map<string, Login>();
  const places = new Map<string, string>();
  const loginFields = top.get("logins");
  for (const field of loginFields === undefined ? [] : reader.fields(loginFields.value, "logins")) {
    checkName(reader, field);
    logins.set(field.key, readLogin(reader, field, paths));
    places.set(field.key, reader.where(field.keyNode));
  }
  const deliverField = top.get("deliver");
  const items = deliverField === undefined ? [] : reader.items(deliverField.value, "deliver");
  const deliveries = items.map((item) => readDelivery(reader, item, paths));
  for (const [index, delivery] of deliveries.entries()) checkNames(reader, items[index], delivery, logins);
  if (rule.mayCollide !== true) refuseCollisions(logins, deliveries, places);
  return { path, text, logins, deliveries };
}

/** What is not asked of a configuration. */
export interface ConfigRule {
  readonly mayCollide?: boolean;
}

interface Paths {
  readonly folder: string;
  readonly home: string;
}

function readVersion(reader: YamlReader, field: Field | undefined): void {
  if (field === undefined) {
    const empty = reader.root === null;
    if (empty) return;
    throw reader.fault(reader.root, "`version: 1` is missing", "put `version: 1` on its first line");
  }
  if (isScalar(field.value) && field.value.value === 1) return;
  throw reader.fault(
    field.value ?? field.keyNode,
    "this wharf reads version 1 of wharf.yaml",
    "write `version: 1`, or use a newer wharf",
  );
}

function checkName(reader: YamlReader, field: Field): void {
  try {
    parseName("login", field.key);
  } catch (cause) {
    if (cause instanceof AppError) throw reader.fault(field.keyNode, cause.message, cause.hint);
    throw cause;
  }
}

function readLogin(reader: YamlReader, field: Field, paths: Paths): Login {
  const what = `login ${field.key}`;
  const fields = reader.knownFields(field.value, what, LOGIN);
  const registryField = need(reader, fields, field, "registry");
  const usernameField = need(reader, fields, field, "username");
  const written = reader.text(registryField, `registry of ${what}`);
  const { registry, path } = readRegistry(reader, registryField, written);
  const username = reader.text(usernameField, `username of ${what}`);
  if (username.includes(":"))
    throw reader.fault(
      usernameField.value,
      `the username of ${what} has a ':' in it`,
      "Basic authentication and every program's file end the username at the first ':'; put the secret after it into the vault with `wharf login`",
    );
  if (/\p{Cc}/u.test(username))
    throw reader.fault(usernameField.value, `the username of ${what} holds a control character`);
  const expires = fields.get("expires");
  const plainHttp = fields.get("plain-http");
  const ca = fields.get("ca");
  const realmHosts = fields.get("realm-hosts");
  const identityToken = fields.get("identity-token");
  const renew = fields.get("renew");
  return {
    name: field.key,
    registry,
    path,
    username,
    source: readSource(reader, fields.get("password"), { registry, username, what }, paths),
    expires: expires === undefined ? undefined : readDate(reader, expires, what),
    plainHttp: plainHttp === undefined ? false : reader.flag(plainHttp, `plain-http of ${what}`),
    caFile: ca === undefined ? undefined : expandPath(reader.text(ca, `ca of ${what}`), paths),
    realmHosts: realmHosts === undefined ? undefined : reader.texts(realmHosts, `realm-hosts of ${what}`),
    identityToken:
      identityToken === undefined ? false : reader.flag(identityToken, `identity-token of ${what}`),
    renew: renew === undefined ? undefined : readCommand(reader, renew, `renew of ${what}`),
  };
}

function readCommand(reader: YamlReader, field: Field, label: string): readonly string[] {
  if (isScalar(field.value))
    throw reader.fault(
      field.value,
      `${label} must be a list: the program, then its arguments`,
      "no shell reads it; write [pass, show, hub]",
    );
  const argv = reader.texts(field, label);
  if (argv.length === 0) throw reader.fault(field.value, `${label} names no program`);
  return argv;
}

function need(reader: YamlReader, fields: ReadonlyMap<string, Field>, parent: Field, key: string): Field {
  const found = fields.get(key);
  if (found !== undefined) return found;
  throw reader.fault(parent.keyNode, `${parent.key} has no ${key}`, `add a line \`${key}: …\` below it`);
}

function readRegistry(
  reader: YamlReader,
  field: Field,
  written: string,
): { registry: string; path: string | undefined } {
  try {
    const { registry, path } = parseRegistry(written);
    return { registry, path };
  } catch (cause) {
    if (cause instanceof AppError) throw reader.fault(field.value, cause.message, cause.hint);
    throw cause;
  }
}

function readDate(reader: YamlReader, field: Field, what: string): Date {
  const node = field.value;
  const text = isScalar(node) && typeof node.value === "string" ? node.value : "";
  const date = /^\d{4}-\d{2}-\d{2}(?:T[\d:.]+(?:Z|[+-]\d{2}:\d{2}))?$/.test(text)
    ? new Date(text)
    : new Date(Number.NaN);
  if (
    Number.isNaN(date.getTime()) ||
    (date.toISOString().slice(0, 8) !== `${text.slice(0, 8)}` && text.length === 10)
  )
    throw reader.fault(node ?? field.keyNode, `expires of ${what} must be a date`, "write it as 2027-03-01");
  return date;
}

function readSource(
  reader: YamlReader,
  field: Field | undefined,
  about: { readonly registry: string; readonly username: string; readonly what: string },
  paths: Paths,
): SecretSource {
  const { what } = about;
  if (field === undefined) return { kind: "vault" };
  if (isScalar(field.value)) {
    if (field.value.value === "vault") return { kind: "vault" };
    throw secretInConfig(reader.where(field.value), `password of ${what} is written out`);
  }
  const [source, ...more] = reader.knownFields(field.value, `password of ${what}`, SOURCES).values();
  if (source === undefined || more.length > 0)
    throw reader.fault(
      field.keyNode,
      `password of ${what} must name one source`,
      `one of ${SOURCES.join(", ")}`,
    );
  const label = `${source.key} of ${what}`;
  switch (source.key) {
    case "env": {
      const variable = reader.text(source, label);
      if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(variable))
        throw reader.fault(source.value, `${label} must be the name of an environment variable`);
      return { kind: "env", variable };
    }
    case "file":
      return { kind: "file", path: expandPath(reader.text(source, label), paths) };
    case "command":
      return { kind: "command", argv: readCommand(reader, source, label) };
    case "docker-config": {
      const isDefault = isScalar(source.value) && source.value.value === true;
      const written = isDefault ? "~/.docker/config.json" : reader.text(source, label);
      return { kind: "docker-config", path: expandPath(written, paths) };
    }
    case "exchange":
      return parseExchange(reader, source, { registry: about.registry, username: about.username, what });
    case "ansible-vault":
      return parseAnsibleSource(reader, source, (written) => expandPath(written, paths));
    case "kubernetes":
      return parseKubernetesSource(reader, source);
    default:
      return { kind: "vault" };
  }
}

function expandPath(written: string, paths: Paths): string {
  if (written === "~" || written.startsWith("~/")) return join(paths.home, written.slice(1));
  return isAbsolute(written) ? written : resolve(paths.folder, written);
}

function readDelivery(reader: YamlReader, node: unknown, paths: Paths): Delivery {
  const fields = reader.knownFields(node, "this delivery", [...DELIVERY, ...DELIVERY_OPTIONS]);
  const to = fields.get("to");
  if (to === undefined)
    throw reader.fault(
      node,
      "this delivery has no `to:`",
      "say which program, as in { to: docker, at: local }",
    );
  const logins = fields.get("logins");
  const users = fields.get("users");
  if (logins !== undefined && users !== undefined)
    throw reader.fault(users.keyNode, "a delivery has `logins:` or `users:`, not both");
  const place = readPlace(reader, fields, paths);
  const isLocal = place.kind === "local";
  const options: Record<string, unknown> = {};
  for (const key of DELIVERY_OPTIONS) {
    const option = fields.get(key);
    if (option === undefined) continue;
    if (key === "vault-password") {
      options[key] = parseVaultPassword(reader, option, (written) => expandPath(written, paths));
      continue;
    }
    const value = plain(option.value);
    // From the caller's home, or wharf.yaml's folder, on this machine; elsewhere paths are the target's own.
    const isHere = key === "executable" || ((key === "file" || key === "bin-dir") && isLocal);
    options[key] = isHere && typeof value === "string" ? expandPath(value, paths) : value;
  }
  return {
    to: reader.text(to, "`to:`"),
    at: place,
    logins: logins === undefined ? undefined : reader.texts(logins, "logins of this delivery"),
    users: users === undefined ? undefined : readUsers(reader, users),
    options,
    where: reader.where(node),
  };
}

function readPlace(reader: YamlReader, fields: ReadonlyMap<string, Field>, paths: Paths): DeliveryPlace {
  const at = fields.get("at");
  const place = at === undefined ? LOCAL : readPlaceText(reader, at, reader.text(at, "`at:`"), paths);
  const sudo = fields.get("sudo");
  if (sudo === undefined || !reader.flag(sudo, "`sudo:`")) return place;
  if (at === undefined || !["ssh", "hosts", "ansible", "clush"].includes(place.kind))
    throw reader.fault(
      sudo.keyNode,
      "`sudo:` is for places over ssh, or by Ansible",
      "here, run wharf itself by sudo",
    );
  if (/[?&]sudo(?:&|$)/.test(place.text)) return place;
  return readPlaceText(reader, at, `${place.text}${place.text.includes("?") ? "&" : "?"}sudo`, paths);
}

function readPlaceText(reader: YamlReader, at: Field, text: string, paths: Paths): DeliveryPlace {
  try {
    return parsePlace(text, (written) => expandPath(written, paths));
  } catch (cause) {
    if (!isAppError(cause, "INVALID_INPUT")) throw cause;
    throw reader.fault(at.value, cause.message, cause.hint);
  }
}

function readUsers(reader: YamlReader, field: Field): ReadonlyMap<string, readonly string[]> {
  const users = new Map<string, readonly string[]>();
  for (const user of reader.fields(field.value, "users of this delivery"))
    users.set(user.key, reader.texts(user, `logins of user ${user.key}`));
  return users;
}

function plain(node: unknown): unknown {
  return typeof node === "object" && node !== null && "toJSON" in node
    ? JSON.parse(JSON.stringify(node))
    : undefined;
}

function checkNames(
  reader: YamlReader,
  item: unknown,
  delivery: Delivery,
  logins: ReadonlyMap<string, Login>,
): void {
  const named = [...(delivery.logins ?? []), ...[...(delivery.users?.values() ?? [])].flat()];
  for (const name of named) {
    if (logins.has(name)) continue;
    throw new AppError(
      "LOGIN_UNKNOWN",
      `${reader.where(item)}: this delivery names a login ${JSON.stringify(name.slice(0, 60))} that is not under logins:`,
      {
        hint:
          logins.size === 0
            ? "add it with `wharf login REGISTRY`"
            : `the logins are ${[...logins.keys()].join(", ")}`,
      },
    );
  }
}
