import { dirname, isAbsolute, join } from "node:path";
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import { AppError, nearestName } from "#core";
import { readTextLimited } from "#system";

/** A value of a kubeconfig, with the file and line that it stands at, for messages. */
export interface KubeField {
  readonly value: unknown;
  readonly where: string;
  /** Folder that relative paths below it are taken from: that of its own file. */
  readonly folder: string;
}

/** Entries of the merged kubeconfig by name. */
export interface Kubeconfig {
  readonly files: readonly string[];
  readonly currentContext: string | undefined;
  readonly contexts: ReadonlyMap<string, KubeField>;
  readonly clusters: ReadonlyMap<string, KubeField>;
  readonly users: ReadonlyMap<string, KubeField>;
}

const MAX_BYTES = 4 * 1024 * 1024;

/**
 * The kubeconfig as kubectl merges it: the files of KUBECONFIG, or `~/.kube/config`; of each entry and of the current context the first
 * that names it counts, and files that are not there are passed over. undefined where there is none at all. Throws CONFIG_INVALID.
 */
export async function readKubeconfig(
  env: Readonly<Record<string, string | undefined>>,
  home: string,
): Promise<Kubeconfig | undefined> {
  const named = (env["KUBECONFIG"] ?? "").split(":").filter((file) => file !== "");
  const paths = named.length > 0 ? named : [join(home, ".kube", "config")];
  const files: string[] = [];
  const merged = {
    contexts: new Map<string, KubeField>(),
    clusters: new Map<string, KubeField>(),
    users: new Map<string, KubeField>(),
  };
  let currentContext: string | undefined;
  for (const path of paths) {
    const text = await readTextLimited(path, MAX_BYTES);
    if (text === undefined) continue;
    files.push(path);
    const parsed = parseKubeconfig(path, text);
    currentContext ??= parsed.currentContext;
    for (const kind of ["contexts", "clusters", "users"] as const)
      for (const [name, field] of parsed[kind]) if (!merged[kind].has(name)) merged[kind].set(name, field);
  }
  return files.length === 0 ? undefined : { files, currentContext, ...merged };
}

/** One file. Throws CONFIG_INVALID with line and column, never with content: it holds tokens and keys. */
export function parseKubeconfig(path: string, text: string): Kubeconfig {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${path}:${line}:${col}`;
  };
  const [fault] = document.errors;
  if (fault !== undefined) throw invalid(at(fault.pos[0]), "this is not YAML");
  const whereOf = (node: unknown): string => at((node as Node | null)?.range?.[0] ?? 0);
  const contents = document.contents;
  const root = isMap(contents) ? contents : undefined;
  if (contents !== null && root === undefined) throw invalid(whereOf(contents), "a kubeconfig is a mapping");
  const current: unknown = root?.get("current-context");
  if (current !== undefined && current !== null && typeof current !== "string")
    throw invalid(path, "current-context is not a name");
  return {
    files: [path],
    currentContext: typeof current === "string" && current !== "" ? current : undefined,
    contexts: entries("contexts", "context"),
    clusters: entries("clusters", "cluster"),
    users: entries("users", "user"),
  };

  function entries(list: string, member: string): ReadonlyMap<string, KubeField> {
    const found = new Map<string, KubeField>();
    const node: unknown = root?.get(list, true);
    if (node === undefined || node === null || (isScalar(node) && node.value === null)) return found;
    if (!isSeq(node)) throw invalid(whereOf(node), `${list} is not a list`);
    for (const item of node.items) {
      const name: unknown = isMap(item) ? item.get("name") : undefined;
      if (!isMap(item) || typeof name !== "string")
        throw invalid(whereOf(item), `this entry of ${list} has no name`);
      const value: unknown = item.get(member, true);
      if (found.has(name)) throw invalid(whereOf(item), `${list} names ${JSON.stringify(name)} twice`);
      if (value !== undefined && !isMap(value) && !(isScalar(value) && value.value === null))
        throw invalid(whereOf(value), `${member} of ${JSON.stringify(name)} is not a mapping`);
      const plain: unknown = isMap(value) ? value.toJS(document) : {};
      found.set(name, { value: plain, where: whereOf(isMap(value) ? value : item), folder: dirname(path) });
    }
    return found;
  }
}

/** Reads the members of one entry, each with its type. Throws CONFIG_INVALID naming the file and line of the entry. */
export class EntryReader {
  readonly #entry: KubeField;
  readonly #what: string;

  constructor(entry: KubeField, what: string) {
    this.#entry = entry;
    this.#what = what;
  }

  /** undefined where it is not there, or empty, as Go reads it. */
  text(key: string): string | undefined {
    const value = this.#get(key);
    if (value === undefined || value === null || value === "") return undefined;
    if (typeof value !== "string") throw this.fault(`${key} is not a text`);
    return value;
  }

  flag(key: string): boolean {
    const value = this.#get(key);
    if (value === undefined || value === null) return false;
    if (typeof value !== "boolean") throw this.fault(`${key} is not true or false`);
    return value;
  }

  texts(key: string): readonly string[] {
    const value = this.#get(key) ?? [];
    if (!Array.isArray(value) || !value.every((item) => typeof item === "string"))
      throw this.fault(`${key} is not a list of texts`);
    return value;
  }

  /** A mapping below it, read in the same way; undefined where it is not there. */
  below(key: string): EntryReader | undefined {
    const value = this.#get(key);
    if (value === undefined || value === null) return undefined;
    if (typeof value !== "object" || Array.isArray(value)) throw this.fault(`${key} is not a mapping`);
    return new EntryReader({ ...this.#entry, value }, `${key} of ${this.#what}`);
  }

  list(key: string): readonly EntryReader[] {
    const value = this.#get(key) ?? [];
    if (!Array.isArray(value)) throw this.fault(`${key} is not a list`);
    return value.map(
      (item: unknown) => new EntryReader({ ...this.#entry, value: item }, `${key} of ${this.#what}`),
    );
  }

  /** A path, relative ones from the file's folder. */
  path(key: string): string | undefined {
    const written = this.text(key);
    if (written === undefined || isAbsolute(written)) return written;
    return join(this.#entry.folder, written);
  }

  /** The content of `KEY-data` (base64), else of the file that `KEY` names; undefined where neither is there. */
  async content(key: string): Promise<string | undefined> {
    const data = this.text(`${key}-data`);
    if (data !== undefined) return Buffer.from(data, "base64").toString();
    const path = this.path(key);
    if (path === undefined) return undefined;
    const text = await readTextLimited(path, MAX_BYTES);
    if (text === undefined) throw this.fault(`${key} names the file ${path}, which is not there`);
    return text;
  }

  fault(why: string, hint?: string): AppError {
    return invalid(this.#entry.where, `${this.#what}: ${why}`, hint);
  }

  #get(key: string): unknown {
    const { value } = this.#entry;
    return typeof value === "object" && value !== null && Object.hasOwn(value, key)
      ? (value as Readonly<Record<string, unknown>>)[key]
      : undefined;
  }
}

/** The entry of that name. Throws CONFIG_INVALID, naming those that there are. */
export function entryOf(
  entries: ReadonlyMap<string, KubeField>,
  name: string,
  about: { readonly kind: string; readonly named: string },
): EntryReader {
  const found = entries.get(name);
  if (found !== undefined) return new EntryReader(found, `${about.kind} ${JSON.stringify(name)}`);
  const known = [...entries.keys()];
  const near = nearestName(name, known);
  const words = known.length === 0 ? "there is none" : `there are ${known.slice(0, 20).join(", ")}`;
  throw invalid(
    about.named,
    `there is no ${about.kind} ${JSON.stringify(name.slice(0, 80))}`,
    near === undefined ? words : `did you mean ${near}? ${words}`,
  );
}

function invalid(where: string, why: string, hint?: string): AppError {
  return new AppError("CONFIG_INVALID", `${where}: ${why}`, hint === undefined ? {} : { hint });
}
