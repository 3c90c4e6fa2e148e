import { isMap, parseDocument } from "yaml";
import { AppError } from "#core";
import type { EntryChange, FileDocument, Merged, Target } from "../contract.ts";
import { parseYaml, readYamlText, yamlValue } from "../yaml-edit.ts";
import { addYamlItem, removeYamlItem, type YamlItem, yamlItems } from "../yaml-list.ts";
import { badName, type SecretFile, serviceAccountsOf } from "./secret-files.ts";

/** First line of a file that is ours alone: it goes when nothing else is left in it. */
const WRITTEN_BY_WHARF = "# Written by wharf.";

const MAX_BYTES = 4 * 1024 * 1024;

/** What lists names of other objects: a ServiceAccount its pull secrets, a kustomization its files. */
const LISTS = {
  ServiceAccount: { key: "imagePullSecrets", field: "name" },
  Kustomization: { key: "resources", field: undefined },
} as const;
type ListKind = keyof typeof LISTS;

/**
 * What names the Secrets: with `service-accounts: [default]` a ServiceAccount for each namespace, with `kustomization: true` a
 * `kustomization.yaml` in each folder. Without secrets, so that they may lie in git. Throws CONFIG_INVALID.
 *
 * A ServiceAccount is written whole, for server-side apply: its list is one value to the server (`listType=atomic`), so a patch would
 * replace it in silence, and a server-side apply stops with a conflict where another has written it (reference: platform).
 */
export function compileReferences(files: readonly SecretFile[], target: Target): readonly FileDocument[] {
  const accounts = serviceAccountsOf(target);
  const documents: FileDocument[] = [];
  const folders = new Map<string, string[]>();
  for (const { path, name, namespace } of files) {
    const folder = path.slice(0, path.lastIndexOf("/"));
    const resources = [path.slice(folder.length + 1)];
    for (const account of accounts) {
      const file = `serviceaccount-${account}.yaml`;
      if (resources.includes(file)) throw badName("name", name);
      resources.push(file);
      documents.push(
        reference(`${folder}/${file}`, [
          "# Apply it with `kubectl apply --server-side`: the list below becomes the whole list of the ServiceAccount.",
          "apiVersion: v1",
          "kind: ServiceAccount",
          "metadata:",
          `  name: ${JSON.stringify(account)}`,
          ...(namespace === undefined ? [] : [`  namespace: ${JSON.stringify(namespace)}`]),
          "imagePullSecrets:",
          `  - name: ${JSON.stringify(name)}`,
        ]),
      );
    }
    folders.set(folder, resources);
    const above = folder.slice(0, folder.lastIndexOf("/"));
    if (namespace !== undefined && `${above}/${namespace}` === folder)
      folders.set(above, [...(folders.get(above) ?? []), namespace]);
  }
  if (target.options?.["kustomization"] !== true) return documents;
  for (const [folder, resources] of folders) {
    if (resources.includes("kustomization.yaml")) throw badName("name", "kustomization");
    documents.push(
      reference(`${folder}/kustomization.yaml`, [
        "apiVersion: kustomize.config.k8s.io/v1beta1",
        "kind: Kustomization",
        "resources:",
        ...resources.map((resource) => `  - ${JSON.stringify(resource)}`),
      ]),
    );
  }
  return documents;
}

/** Is this a document of `compileReferences`, wanted (its body says so) or once wanted (its content does). */
export function isReference(document: FileDocument, current: Uint8Array | undefined): boolean {
  if (document.entries.length > 0) return false;
  if (document.body === undefined && (current?.length ?? 0) > MAX_BYTES) return false;
  const text = document.body ?? new TextDecoder().decode(current ?? new Uint8Array());
  return kindOf(text, document.path) !== undefined;
}

/** Puts our names into the lists that are there, and takes out those that were ours; a list of somebody's keeps all of theirs. */
export function mergeReference(
  current: Uint8Array | undefined,
  document: FileDocument,
  owned: ReadonlySet<string>,
): Merged {
  const { body = "", path } = document;
  const before = current === undefined ? "" : readYamlText(current, path);
  const kind = kindOf(body === "" ? before : body, path);
  if (kind === undefined || (before.trim() !== "" && kindOf(before, path) !== kind))
    throw invalid(path, `it is no ${kind ?? "file of this kind"}`);
  const { key, field } = LISTS[kind];
  const item = (name: string): YamlItem => ({ name, ...(field === undefined ? {} : { field }) });
  const wanted = body === "" ? [] : yamlItems(body, [key], field, path);
  if (before.trim() === "" && body !== "") {
    const changes = wanted.map(
      (name) => ({ key: `${key}/${name}`, login: undefined, action: "add" }) as const,
    );
    return { content: new TextEncoder().encode(body), changes, warnings: [], refusals: [] };
  }
  let text = before;
  const changes: EntryChange[] = [];
  for (const name of wanted) {
    const next = addYamlItem(text, [key], item(name), path);
    changes.push({ key: `${key}/${name}`, login: undefined, action: next === text ? "keep" : "add" });
    text = next;
  }
  for (const gone of owned) {
    const name = gone.startsWith(`${key}/`) ? gone.slice(key.length + 1) : undefined;
    if (name === undefined || wanted.includes(name)) continue;
    const next = removeYamlItem(text, [key], item(name), path);
    if (next !== text) changes.push({ key: gone, login: undefined, action: "remove" });
    text = next;
  }
  const isEmptied = text !== before && yamlItems(text, [key], field, path).length === 0;
  if (isEmptied && isOursAlone(text, path))
    return { content: undefined, changes, warnings: [], refusals: [] };
  const content = text === before ? current : new TextEncoder().encode(text);
  return { content, changes, warnings: [], refusals: [] };
}

function reference(path: string, lines: readonly string[]): FileDocument {
  const body = `${[WRITTEN_BY_WHARF, ...lines].join("\n")}\n`;
  return { kind: "file", path, mode: 0o644, folderMode: 0o755, entries: [], body };
}

/** A kustomization may leave its kind out. */
function kindOf(text: string, path: string): ListKind | undefined {
  const document = parseDocument(text, { logLevel: "silent" });
  const kind: unknown = isMap(document.contents) ? document.get("kind") : undefined;
  if (kind === "ServiceAccount" || kind === "Kustomization") return kind;
  return kind === undefined && path.endsWith("/kustomization.yaml") && !/^\s*$/.test(text)
    ? "Kustomization"
    : undefined;
}

/** Written by us, and with nothing of anybody's added. */
function isOursAlone(text: string, path: string): boolean {
  if (!text.startsWith(`${WRITTEN_BY_WHARF}\n`)) return false;
  const value = yamlValue(parseYaml(text, path), path);
  const keys = typeof value === "object" && value !== null ? Object.keys(value) : [];
  return keys.every((key) => key === "apiVersion" || key === "kind" || key === "metadata");
}

function invalid(where: string, why: string): AppError {
  return new AppError("FILE_INVALID", `${where}: ${why}`, {
    hint: "mend the file or move it away; wharf left it as it is",
  });
}
