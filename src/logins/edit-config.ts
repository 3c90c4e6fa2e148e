import { type Document, isMap, isSeq, parseDocument, type YAMLMap, type YAMLSeq } from "yaml";
import { AppError } from "#core";

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
}

/** Puts a login in, or changes the one of that name: only the fields that are given; comments, order and all else stay. */
export function writeLogin(text: string, name: string, lines: LoginLines): string {
  const document = parse(text);
  const logins = blockMap(document, "logins");
  const login = logins.get(name);
  const target = isMap(login) ? login : (document.createNode({}) as YAMLMap);
  if (!isMap(login)) logins.set(name, target);
  const fields: Record<string, unknown> = {
    registry: lines.registry,
    username: lines.username,
    expires: lines.expires,
    "plain-http": lines.plainHttp,
    ca: lines.ca,
    "realm-hosts": lines.realmHosts,
  };
  for (const [key, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    if (JSON.stringify(target.get(key, false)) !== JSON.stringify(value)) target.set(key, value);
  }
  // A newly sealed secret is in the vault; another source would hide it.
  target.delete("password");
  return render(document, text);
}

/** Takes a login out, from `logins:` and from every delivery that names it; a delivery left without any goes as well. */
export function removeLogin(text: string, name: string): string {
  const document = parse(text);
  const logins = document.get("logins");
  if (isMap(logins)) logins.delete(name);
  const deliver = document.get("deliver");
  if (isSeq(deliver)) {
    deliver.items = deliver.items.filter((item) => !(isMap(item) && takeOut(item, name)));
  }
  return render(document, text);
}

/** Adds deliveries, one line each. */
export function addDeliveries(
  text: string,
  deliveries: readonly Readonly<Record<string, unknown>>[],
): string {
  const document = parse(text);
  let deliver = document.get("deliver");
  if (!isSeq(deliver)) {
    document.set("deliver", document.createNode([]));
    deliver = document.get("deliver");
  }
  const list = deliver as YAMLSeq;
  list.flow = false;
  for (const delivery of deliveries) {
    const node = document.createNode(delivery) as YAMLMap;
    node.flow = true;
    list.items.push(node);
  }
  return render(document, text);
}

/** True where the delivery named this login and now names none. */
function takeOut(delivery: YAMLMap, name: string): boolean {
  let touched = false;
  const lists: unknown[] = [delivery.get("logins")];
  const users = delivery.get("users");
  if (isMap(users)) lists.push(...users.items.map((pair) => pair.value));
  let left = 0;
  for (const list of lists) {
    if (!isSeq(list)) continue;
    const before = list.items.length;
    list.items = list.items.filter((item) => String(valueOf(item)) !== name);
    touched ||= list.items.length < before;
    left += list.items.length;
  }
  return touched && left === 0;
}

function valueOf(node: unknown): unknown {
  return typeof node === "object" && node !== null && "value" in node ? node.value : node;
}

function parse(text: string): Document {
  const document = parseDocument(text.trim() === "" ? EMPTY_CONFIG : text, { logLevel: "silent" });
  if (document.errors.length > 0)
    throw new AppError("CONFIG_INVALID", "wharf.yaml is not YAML, so it is left alone");
  return document;
}

function blockMap(document: Document, key: string): YAMLMap {
  const found = document.get(key);
  if (isMap(found)) {
    // `logins: {}` is how an empty one begins.
    if (found.items.length === 0) found.flow = false;
    return found;
  }
  const made = document.createNode({}) as YAMLMap;
  document.set(key, made);
  return made;
}

function render(document: Document, before: string): string {
  const eol = before.includes("\r\n") ? "\r\n" : "\n";
  const text = document.toString({ lineWidth: 0, flowCollectionPadding: true });
  return eol === "\n" ? text : text.replaceAll("\n", eol);
}
