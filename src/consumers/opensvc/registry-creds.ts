import type { EntryChange, FileDocument, Merged, Warning } from "../contract.ts";
import { iniKeywords, iniValue, readIniText, removeIni, setIni } from "./ini-text.ts";
import { ROOT_NAMESPACE, type SecObject } from "./scope.ts";

const KEYWORD = "registry_creds";

/** Path of a service's configuration on every node of the cluster. */
export function servicePath(namespace: string, service: string): string {
  return namespace === ROOT_NAMESPACE
    ? `/etc/opensvc/${service}.conf`
    : `/etc/opensvc/namespaces/${namespace}/svc/${service}.conf`;
}

/** One document for each service, with the keyword in its sections. Editing the file is what `om edit config` does: the daemon takes it up. */
export function serviceDocuments({ namespace, name, services }: SecObject): readonly FileDocument[] {
  const sections = Map.groupBy(services, ({ service }) => service);
  return [...sections].map(([service, spots]) => ({
    kind: "file",
    path: servicePath(namespace, service),
    mode: 0o644,
    folderMode: 0o755,
    entries: [],
    body: spots.map(({ section }) => `[${section}]\n${KEYWORD} = ${name}\n`).join(""),
  }));
}

/** Is this the configuration of a service, wanted or once wanted. */
export function isService(document: FileDocument): boolean {
  return document.path.startsWith("/etc/opensvc/") && document.path.endsWith(".conf");
}

/**
 * Sets and takes out `registry_creds`; every other byte stays. A service that is not there is not made. What names another object than
 * ours is replaced with a warning, and left when ours goes. Throws FILE_INVALID.
 */
export function mergeService(
  current: Uint8Array | undefined,
  document: FileDocument,
  owned: ReadonlySet<string>,
): Merged {
  const { path } = document;
  const wanted = spotsOf(document.body ?? "", path);
  if (current === undefined) {
    const message = `there is no ${path}, so no service there uses the sec object`;
    const hint = "make the service first, or take it out of services:";
    const warnings: readonly Warning[] = wanted.length === 0 ? [] : [{ kind: "danger", message, hint }];
    return { content: undefined, changes: [], warnings, refusals: [] };
  }
  const before = readIniText(current, path);
  let text = before;
  const changes: EntryChange[] = [];
  const warnings: Warning[] = [];
  for (const { section, name } of wanted) {
    const spot = { section, keyword: KEYWORD };
    const present = iniValue(text, spot, path);
    const key = keyOf(section, name);
    if (present !== name) text = setIni(text, spot, name, path);
    const action = present === name ? "keep" : present === undefined ? "add" : "update";
    changes.push({ key, login: undefined, action });
    if (present !== undefined && present !== name && !owned.has(keyOf(section, present)))
      warnings.push({
        kind: "format",
        message: `${path}: ${KEYWORD} of [${section}] named ${present}, which wharf did not write, and is replaced`,
      });
    for (const keyword of iniKeywords(text, section, path).filter((word) => word.startsWith(`${KEYWORD}@`)))
      warnings.push({
        kind: "shadowed",
        message: `${path}: ${keyword} of [${section}] wins on that node`,
        hint: "remove it if it is old",
      });
  }
  const isWanted = new Set(changes.map(({ key }) => key));
  for (const key of owned) {
    const [section = "", name] = partsOf(key);
    if (isWanted.has(key) || name === undefined) continue;
    const spot = { section, keyword: KEYWORD };
    if (iniValue(text, spot, path) !== name) continue;
    text = removeIni(text, spot, path);
    changes.push({ key, login: undefined, action: "remove" });
  }
  const content = text === before ? current : new TextEncoder().encode(text);
  return { content, changes, warnings, refusals: [] };
}

/** As it stands in the state: the section, and the object that it names. */
function keyOf(section: string, name: string): string {
  return `[${section}] ${KEYWORD} = ${name}`;
}

function partsOf(key: string): readonly string[] {
  return /^\[([^\]]+)\] registry_creds = (.+)$/.exec(key)?.slice(1) ?? [];
}

function spotsOf(body: string, path: string): readonly { readonly section: string; readonly name: string }[] {
  const sections = [...body.matchAll(/^\[([^\]]+)\]$/gm)].map((found) => found[1] ?? "");
  return sections.map((section) => ({
    section,
    name: iniValue(body, { section, keyword: KEYWORD }, path) ?? "",
  }));
}
