import {
  type Document,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parseAllDocuments,
  type YAMLMap,
} from "yaml";
import { AppError } from "#core";
import { appendItem, insertLines, startOf } from "../yaml-sequence.ts";

/** The object that a pod's description stands in. */
export interface PodOwner {
  readonly kind: string;
  /** `metadata.name`, or `generateName` with a star behind it. */
  readonly name: string;
  readonly namespace: string | undefined;
}

/** One pod, or template of pods, of the file. */
export interface InjectedPod extends PodOwner {
  /** Line of its `spec`, from 1. */
  readonly line: number;
  /** Names that were put in. */
  readonly added: readonly string[];
  /** Names that were there already. */
  readonly kept: readonly string[];
}

export interface Injected {
  readonly text: string;
  readonly pods: readonly InjectedPod[];
}

const MAX_BYTES = 4 * 1024 * 1024;
const KEY = "imagePullSecrets";

/**
 * Puts pull secrets into every pod and template of pods of a manifest: YAML with any number of documents, or JSON; Pod, Job, CronJob,
 * Deployment, StatefulSet, DaemonSet, templates, Lists, and whatever kind has such a template somewhere. A list that is there is added to,
 * a name that is there stays once, and every other byte is left. `namesFor` says which names a pod is to have.
 * Throws FILE_INVALID, with the line where it is known, for what is no YAML or is written in a form that text edits do not serve.
 */
export function injectPullSecrets(
  text: string,
  file: string,
  namesFor: (owner: PodOwner) => readonly string[],
): Injected {
  if (text.length > MAX_BYTES) throw invalid(file, `it is larger than ${MAX_BYTES} bytes`);
  const before = parseManifest(text, file);
  const pods = before.flatMap((document) => podsOf(document, text));
  const wanted = pods.map((pod) => missingNames(pod, namesFor(pod.owner), file));
  let edited = text;
  // From behind, so that what was found keeps its place.
  for (const [index, pod] of [...pods.entries()].toReversed()) {
    const { added } = wanted[index] ?? { added: [] };
    if (added.length > 0) edited = withSecrets(edited, pod, added, file);
  }
  check(edited, before, pods, { wanted, file });
  const injected = pods.map(({ owner, line }, index): InjectedPod => {
    const { added = [], kept = [] } = wanted[index] ?? {};
    return { ...owner, line, added, kept };
  });
  return { text: edited, pods: injected };
}

interface FoundPod {
  readonly owner: PodOwner;
  readonly line: number;
  /** The key `spec`, and the mapping behind it. */
  readonly key: Node;
  readonly spec: YAMLMap;
}

interface Names {
  readonly added: readonly string[];
  readonly kept: readonly string[];
}

function parseManifest(text: string, file: string): readonly Document[] {
  let documents: readonly Document[];
  try {
    const parsed = parseAllDocuments(text, { uniqueKeys: true, logLevel: "silent" });
    documents = Array.isArray(parsed) ? (parsed as Document[]) : [];
  } catch (cause) {
    throw invalid(file, "this is not YAML", cause);
  }
  for (const { errors } of documents) {
    const at = errors[0]?.linePos?.[0];
    if (errors[0] !== undefined)
      throw invalid(at === undefined ? file : `${file}:${at.line}:${at.col}`, "this is not YAML");
  }
  return documents;
}

function podsOf(document: Document, text: string): readonly FoundPod[] {
  const found: FoundPod[] = [];
  walk(document.contents, undefined, (owner, pair, spec) => {
    const key = pair.key as Node;
    found.push({ owner, line: text.slice(0, startOf(key)).split("\n").length, key, spec });
  });
  return found;
}

/** Goes through mappings and lists; aliases are not followed, what they name is walked where it stands. */
function walk(
  node: unknown,
  owner: PodOwner | undefined,
  visit: (owner: PodOwner, pair: Pair, spec: YAMLMap) => void,
): void {
  if (isSeq(node)) for (const item of node.items) walk(item, owner, visit);
  if (!isMap(node)) return;
  const here = ownerOf(node) ?? owner;
  for (const pair of node.items) {
    const spec: unknown = pair.value;
    if (
      here !== undefined &&
      isScalar(pair.key) &&
      pair.key.value === "spec" &&
      isMap(spec) &&
      hasContainers(spec)
    )
      visit(here, pair, spec);
    walk(pair.value, here, visit);
  }
}

/** An object of Kubernetes names its kind; a template in it does not. */
function ownerOf(map: YAMLMap): PodOwner | undefined {
  const kind: unknown = map.get("kind");
  if (typeof kind !== "string" || typeof map.get("apiVersion") !== "string") return undefined;
  const metadata: unknown = map.get("metadata", true);
  const field = (name: string): string | undefined => {
    const value: unknown = isMap(metadata) ? metadata.get(name) : undefined;
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const generated = field("generateName");
  const name = field("name") ?? (generated === undefined ? "" : `${generated}*`);
  return { kind, name, namespace: field("namespace") };
}

/** What makes a mapping the description of a pod: a list of containers, each with a name or an image. */
function hasContainers(spec: YAMLMap): boolean {
  const containers: unknown = spec.get("containers", true);
  return (
    isSeq(containers) &&
    containers.items.length > 0 &&
    containers.items.every((item) => isMap(item) && (item.has("name") || item.has("image")))
  );
}

function missingNames({ spec }: FoundPod, names: readonly string[], file: string): Names {
  const list: unknown = spec.get(KEY, true);
  if (list === undefined || isNothing(list)) return { added: [...new Set(names)], kept: [] };
  if (!isSeq(list)) throw invalid(file, `${KEY} is no list`);
  const there = list.items.map((item) => (isMap(item) ? item.get("name") : undefined));
  const kept = there.filter((name): name is string => typeof name === "string");
  return { added: [...new Set(names)].filter((name) => !kept.includes(name)), kept };
}

function withSecrets(text: string, pod: FoundPod, names: readonly string[], file: string): string {
  const { spec, key } = pod;
  const pair = spec.items.find((one) => isScalar(one.key) && one.key.value === KEY);
  const list: unknown = pair?.value;
  if (isSeq(list) && (list.items.length > 0 || list.flow === true)) {
    const flow = names.map(flowItem).join(", ");
    if (list.flow === true) return appendItem(text, list, { block: [], flow });
    // The second goes before the first, so that both are in order.
    return names.reduceRight(
      (edited, name) => appendItem(edited, list, { block: [`name: ${name}`], flow }),
      text,
    );
  }
  const flow = `${JSON.stringify(KEY)}: [${names.map(flowItem).join(", ")}]`;
  if (spec.flow === true) {
    if (pair !== undefined) throw invalid(file, `${KEY} is written in a form that wharf does not edit`);
    const open = text.indexOf("{", startOf(spec)) + 1;
    const space = /^\s*/.exec(text.slice(open))?.[0] ?? "";
    const member = space.includes("\n") ? `${space}${flow},` : `${space}${flow},${space === "" ? " " : ""}`;
    return `${text.slice(0, open)}${member}${text.slice(space.includes("\n") ? open : open + space.length)}`;
  }
  const first = spec.items[0];
  const indent = first === undefined ? "" : indentAt(text, startOf(first.key as Node));
  const dash = `${indent}${dashUnit(text, spec, indent)}- name: `;
  const items = names.map((name) => dash + name);
  if (pair === undefined) return insertLines(text, startOf(key), [`${indent}${KEY}:`, ...items]);
  // `imagePullSecrets:` with nothing behind it, or null.
  const end = (pair.key as Node).range?.[1] ?? 0;
  const colon = text.indexOf(":", end) + 1;
  const rest = /^[ \t]*(?:null|~)?/.exec(text.slice(colon))?.[0] ?? "";
  return insertLines(text.slice(0, colon) + text.slice(colon + rest.length), colon, items);
}

function flowItem(name: string): string {
  return `{"name": ${JSON.stringify(name)}}`;
}

/** How far in the file writes a list below its key: as it does with the containers. */
function dashUnit(text: string, spec: YAMLMap, indent: string): string {
  const containers: unknown = spec.get("containers", true);
  if (!isSeq(containers) || containers.flow === true) return "  ";
  const own = indentAt(text, startOf(containers));
  return own.length >= indent.length ? " ".repeat(own.length - indent.length) : "";
}

/** White space that the line of this offset begins with. */
function indentAt(text: string, offset: number): string {
  return /^[ ]*/.exec(text.slice(text.lastIndexOf("\n", offset - 1) + 1, offset))?.[0] ?? "";
}

/** Does the edited text say what it was to say, and nothing else: in every document, value by value. */
function check(
  text: string,
  before: readonly Document[],
  pods: readonly FoundPod[],
  about: { readonly wanted: readonly Names[]; readonly file: string },
): void {
  for (const [index, { spec }] of pods.entries()) {
    const { added } = about.wanted[index] ?? { added: [] };
    if (added.length === 0) continue;
    const list: unknown = spec.get(KEY, true);
    const items = added.map((name) => ({ name }));
    if (isSeq(list)) for (const item of items) list.add(item);
    else spec.set(KEY, items);
  }
  const unserved = (): AppError =>
    invalid(
      about.file,
      "a pod in it is written in a form (anchors, braces over lines) that wharf does not edit",
    );
  let after: readonly unknown[];
  try {
    after = parseManifest(text, about.file).map(valueOf);
  } catch {
    throw unserved();
  }
  if (JSON.stringify(after.map(sorted)) !== JSON.stringify(before.map(valueOf).map(sorted))) throw unserved();
}

function valueOf(document: Document): unknown {
  return document.toJS() as unknown;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => [key, sorted(item)]);
}

function isNothing(node: unknown): boolean {
  return node === null || (isScalar(node) && node.value === null);
}

function invalid(where: string, why: string, cause?: unknown): AppError {
  return new AppError("FILE_INVALID", `${where}: ${why}`, {
    hint: "templates with {{ … }} are filled in first: helm template … | wharf kube inject -f -",
    ...(cause === undefined ? {} : { cause }),
  });
}
