import { type Document, isMap, isSeq, parseDocument, type YAMLMap, type YAMLSeq } from "yaml";
import { AppError } from "#core";
import { addBlock, addItems, removeItems, removeKey, setFields } from "./yaml-text.ts";

/** What a new wharf.yaml begins with. */
export const EMPTY_CONFIG =
  "# wharf.yaml: safe to commit, there is no secret in it\nversion: 1\nlogins: {}\n";

/** A login as it is to be written; paths and registry as the person gave them. */
export interface LoginLines {
  readonly registry: string;
  readonly username: string;
  readonly expires?: string;
  readonly plainHttp?: boolean;
  readonly ca?: string;
  readonly realmHosts?: readonly string[];
  readonly identityToken?: boolean;
}

/**
 * Puts a login in, or changes the one of that name: only the fields that are given; `password:` goes, because the secret is in the
 * vault now, and an `expires:` that is not given, because it was the old secret's. All else stays byte for byte, but where the spot is written in a form that only a rendering of the whole can edit;
 * comments and order stay then too.
 */
export function writeLogin(text: string, name: string, lines: LoginLines): string {
  const given = Object.fromEntries(
    Object.entries({
      registry: lines.registry,
      username: lines.username,
      expires: lines.expires,
      "plain-http": lines.plainHttp,
      ca: lines.ca,
      "realm-hosts": lines.realmHosts,
      "identity-token": lines.identityToken,
    }).filter(([, value]) => value !== undefined),
  );
  const base = text.trim() === "" ? EMPTY_CONFIG : text;
  const document = parse(base);
  const logins = mapAt(document, "logins");
  const isKnown = isMap(logins.get(name));
  if (!isKnown) logins.set(name, document.createNode({}));
  const login = logins.get(name) as YAMLMap;
  for (const [key, value] of Object.entries(given)) login.set(key, document.createNode(value));
  login.delete("password");
  // The old secret's end says nothing of the new one's.
  if (lines.expires === undefined) login.delete("expires");
  return choose(
    document,
    base,
    isKnown
      ? setFields(base, ["logins", name], { expires: undefined, ...given, password: undefined })
      : addBlock(base, "logins", name, given),
  );
}

/** Sets when a login's secret ends, or takes the line out; nothing else changes. The login must be there. */
export function writeExpires(text: string, name: string, expires: string | undefined): string {
  const document = parse(text);
  const login = mapAt(document, "logins").get(name);
  if (!isMap(login)) throw new AppError("LOGIN_UNKNOWN", `login ${name} is in wharf.yaml no more`);
  if (expires === undefined) login.delete("expires");
  else login.set("expires", document.createNode(expires));
  return choose(document, text, setFields(text, ["logins", name], { expires }));
}

/** Takes a login out, from `logins:` and from every delivery that names it; a delivery left without any goes as well. */
export function removeLogin(text: string, name: string): string {
  const document = parse(text);
  const logins = document.get("logins");
  const isKnown = isMap(logins) && logins.has(name);
  if (isKnown) logins.delete(name);
  let edited: string | undefined = isKnown ? removeKey(text, ["logins"], name) : text;
  const deliver = document.get("deliver");
  if (isSeq(deliver)) {
    const gone: number[] = [];
    for (const [index, item] of deliver.items.entries()) {
      if (!isMap(item)) continue;
      for (const path of takeOut(item, name))
        edited =
          edited === undefined
            ? undefined
            : removeItems(edited, ["deliver", index, ...path], (value) => value === name);
      if (isLeftEmpty(item)) gone.push(index);
    }
    deliver.items = deliver.items.filter((_, index) => !gone.includes(index));
    let at = 0;
    const isGone = (): boolean => gone.includes(at++);
    edited = edited === undefined || gone.length === 0 ? edited : removeItems(edited, ["deliver"], isGone);
  }
  return choose(document, text, edited);
}

/** Adds deliveries, one line each. */
export function addDeliveries(
  text: string,
  deliveries: readonly Readonly<Record<string, unknown>>[],
): string {
  const document = parse(text);
  const found = document.get("deliver");
  const list = isSeq(found) ? found : (document.createNode([]) as YAMLSeq);
  if (list !== found) document.set("deliver", list);
  list.flow = false;
  for (const delivery of deliveries) {
    const node = document.createNode(delivery) as YAMLMap;
    node.flow = true;
    list.items.push(node);
  }
  return choose(document, text, addItems(text, "deliver", deliveries));
}

/** Paths, inside the delivery, of the lists that named the login; it is out of them then. */
function takeOut(delivery: YAMLMap, name: string): readonly (readonly string[])[] {
  const lists: [readonly string[], unknown][] = [[["logins"], delivery.get("logins")]];
  const users = delivery.get("users");
  if (isMap(users)) for (const pair of users.items) lists.push([["users", textOf(pair.key)], pair.value]);
  const touched: (readonly string[])[] = [];
  for (const [path, list] of lists) {
    if (!isSeq(list)) continue;
    const left = list.items.filter((item) => textOf(item) !== name);
    if (left.length === list.items.length) continue;
    list.items = left;
    touched.push(path);
  }
  return touched;
}

/** Names of nobody: an empty list would not mean "all" by accident, but a line that delivers nothing is of no use. */
function isLeftEmpty(delivery: YAMLMap): boolean {
  const logins = delivery.get("logins");
  if (isSeq(logins)) return logins.items.length === 0;
  const users = delivery.get("users");
  return isMap(users) && users.items.every((pair) => isSeq(pair.value) && pair.value.items.length === 0);
}

function textOf(node: unknown): string {
  return typeof node === "object" && node !== null && "value" in node ? String(node.value) : String(node);
}

function parse(text: string): Document {
  const document = parseDocument(text, { logLevel: "silent" });
  if (document.errors.length > 0)
    throw new AppError("CONFIG_INVALID", "wharf.yaml is not YAML, so it is left alone");
  return document;
}

function mapAt(document: Document, key: string): YAMLMap {
  const found = document.get(key);
  if (isMap(found)) {
    if (found.items.length === 0) found.flow = false;
    return found;
  }
  const made = document.createNode({}) as YAMLMap;
  document.set(key, made);
  return made;
}

/** The text with the small edit, where it means exactly what the edited document means; else that document, rendered. */
function choose(document: Document, before: string, edited: string | undefined): string {
  const wanted = meaning(document);
  if (edited !== undefined) {
    const reparsed = parseDocument(edited, { logLevel: "silent" });
    if (reparsed.errors.length === 0 && meaning(reparsed) === wanted) return edited;
  }
  const text = document.toString({ lineWidth: 0, flowCollectionPadding: true });
  return before.includes("\r\n") ? text.replaceAll(/\r?\n/g, "\r\n") : text;
}

function meaning(document: Document): string {
  return JSON.stringify(document.toJS());
}
