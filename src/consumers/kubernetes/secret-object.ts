import { AppError } from "#core";
import { mergeAuthFile } from "../auth-file.ts";
import type { EntryChange, FileDocument, Merged, Refusal, Warning } from "../contract.ts";
import { kubeletRules } from "./kubelet-rules.ts";
import { SECRET_TYPE } from "./secret-yaml.ts";

/** A Secret as a cluster gives and takes it (`Cluster` of #places). */
export interface SecretObject {
  readonly labels: Readonly<Record<string, string>>;
  readonly type: string;
  readonly immutable?: boolean;
  /** Take fields over from another manager. */
  readonly force?: boolean;
  readonly data: Readonly<Record<string, string>>;
}

/** What a document says of the Secret around the logins; its `body`, as JSON. */
export interface SecretHead {
  readonly labels: Readonly<Record<string, string>>;
  /** A Secret of this name that somebody else made becomes ours; what is in it stays. */
  readonly takeOver?: boolean;
}

export const MANAGED_BY = { label: "app.kubernetes.io/managed-by", value: "wharf" } as const;
export const CONFIG_KEY = ".dockerconfigjson";

/** The body of a document for a pull secret in a cluster, with these labels beside our own. */
export function renderSecretHead(
  labels: Readonly<Record<string, string>> = {},
  options: Readonly<Record<string, unknown>> = {},
): string {
  const head: SecretHead = {
    labels: { [MANAGED_BY.label]: MANAGED_BY.value, ...labels },
    ...(options["take-over"] === true ? { takeOver: true } : {}),
  };
  return JSON.stringify(head);
}

/**
 * Merges a document into a Secret of a cluster. Entries of others stay, and what others own of the object is not in what is written.
 * A Secret that is not marked as ours is refused, unless the head says otherwise. Throws FILE_INVALID.
 */
export function mergeSecretObject(
  current: Uint8Array | undefined,
  document: FileDocument,
  owned: ReadonlySet<string>,
): Merged {
  const head = parseHead(document.body);
  const fresh = renderFresh(head, document);
  if (current === undefined) {
    if (fresh === undefined) return { content: undefined, changes: [], warnings: [], refusals: [] };
    return { content: Buffer.from(fresh), changes: changesOf(document, "add"), warnings: [], refusals: [] };
  }
  const text = Buffer.from(current).toString();
  // What is there is to the letter what would be made: the same in a thousand namespaces, and nothing has to be parsed.
  if (text === fresh)
    return { content: current, changes: changesOf(document, "keep"), warnings: [], refusals: [] };
  const object = parseSecretObject(text, document.path);
  const obstacle = obstacleOf(object, head, document);
  if (obstacle !== undefined) return { content: current, changes: [], ...obstacle };
  const inner: FileDocument = { ...document, path: `${document.path} (${CONFIG_KEY})` };
  const before = object.data[CONFIG_KEY];
  const config = before === undefined ? undefined : Buffer.from(before, "base64");
  const merged = mergeAuthFile(config, inner, owned, kubeletRules);
  const content =
    merged.content ?? (Object.keys(object.data).length > 1 ? Buffer.from('{"auths":{}}') : undefined);
  if (content === undefined) return merged;
  const isForeign = object.labels[MANAGED_BY.label] !== MANAGED_BY.value;
  const isLabelled = Object.entries(head.labels).every(([label, value]) => object.labels[label] === value);
  const isSame = content === config && isLabelled;
  if (isSame) return { ...merged, content: current };
  if (object.immutable === true)
    return {
      content: current,
      changes: [],
      ...refuse(document, {
        reason: `${document.path} is immutable, so what is in it cannot be changed`,
        hint: "delete that Secret, and apply again",
      }),
    };
  const next: SecretObject = {
    labels: head.labels,
    type: object.type,
    ...(isForeign ? { force: true } : {}),
    data: { [CONFIG_KEY]: Buffer.from(content).toString("base64") },
  };
  return { ...merged, content: Buffer.from(JSON.stringify(next)) };
}

/** The text of a Secret in a cluster. Throws FILE_INVALID for what is none. */
export function parseSecretObject(text: string, path: string): SecretObject {
  try {
    const value = JSON.parse(text) as SecretObject;
    if (typeof value.type === "string" && typeof value.data === "object" && typeof value.labels === "object")
      return value;
  } catch {
    // The parser's words would quote a secret.
  }
  throw new AppError("FILE_INVALID", `${path}: this is not a Secret`);
}

/** Why nothing may be written into what is there. */
function obstacleOf(
  object: SecretObject,
  head: SecretHead,
  document: FileDocument,
): Pick<Merged, "refusals" | "warnings"> | undefined {
  const isOurs = object.labels[MANAGED_BY.label] === MANAGED_BY.value;
  const [, , namespace = "", , name = ""] = document.path.split("/");
  const removal = `kubectl delete secret -n ${namespace} ${name}`;
  if (!isOurs && head.takeOver !== true) {
    if (document.entries.length === 0)
      return {
        refusals: [],
        warnings: [{ kind: "format", message: `${document.path} belongs to somebody else now, so it stays` }],
      };
    return refuse(document, {
      reason: `${document.path} is there and was not made by wharf`,
      hint: `give the delivery another name:, or take it over with what is in it: take-over: true, or remove it: ${removal}`,
    });
  }
  if (object.type === SECRET_TYPE) return undefined;
  return refuse(document, {
    reason: `${document.path} is there with type ${object.type}, and a Secret's type cannot be changed`,
    hint: `give the delivery another name:, or remove it: ${removal}`,
  });
}

function refuse(
  document: FileDocument,
  words: { readonly reason: string; readonly hint: string },
): { readonly refusals: readonly Refusal[]; readonly warnings: readonly Warning[] } {
  const logins = new Set(document.entries.map(({ login }) => login));
  return { refusals: [...logins].map((login) => ({ login, ...words })), warnings: [] };
}

/** The Secret as it would be made; undefined for no entries. The kubelet's keys need no order: it sorts them. */
function renderFresh(head: SecretHead, document: FileDocument): string | undefined {
  if (document.entries.length === 0) return undefined;
  const auths = Object.fromEntries(
    document.entries.map(({ key, content }) => [key, JSON.parse(content.reveal()) as unknown]),
  );
  const config = Buffer.from(JSON.stringify({ auths })).toString("base64");
  const object: SecretObject = { labels: head.labels, type: SECRET_TYPE, data: { [CONFIG_KEY]: config } };
  return JSON.stringify(object);
}

function changesOf(document: FileDocument, action: "add" | "keep"): readonly EntryChange[] {
  return document.entries.map(({ key, login }) => ({ key, login, action }));
}

function parseHead(body: string | undefined): SecretHead {
  return body === undefined
    ? { labels: { [MANAGED_BY.label]: MANAGED_BY.value } }
    : (JSON.parse(body) as SecretHead);
}
