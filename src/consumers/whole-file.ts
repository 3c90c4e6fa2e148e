import type { ConsumerLogin, FileDocument, Merged, Target, Warning } from "./contract.ts";

/** Certificates that one program wants in a folder of its own, and what to say where they cannot be put there. */
export interface CertificateRules {
  /** As in a message: "docker". */
  readonly consumer: string;
  /** Absolute path of the certificate file for a registry on this target; undefined when this user cannot write it. */
  path(registry: string, target: Target): string | undefined;
  /** What somebody must do where `path` is undefined. */
  hint(registry: string): string;
}

/** One document for each registry with a private CA: all certificates that its logins name, each once. */
export function compileCertificates(
  logins: readonly ConsumerLogin[],
  target: Target,
  rules: CertificateRules,
): { readonly documents: readonly FileDocument[]; readonly warnings: readonly Warning[] } {
  const documents: FileDocument[] = [];
  const warnings: Warning[] = [];
  const withCa = logins.filter((login) => login.ca !== undefined);
  for (const [registry, group] of Map.groupBy(withCa, (login) => login.registry)) {
    const path = rules.path(registry, target);
    if (path === undefined) {
      for (const login of group)
        warnings.push({
          kind: "danger",
          login: login.name,
          message: `${rules.consumer} will not trust the certificate of ${registry}: its CA cannot be put in place by this user`,
          hint: rules.hint(registry),
        });
      continue;
    }
    const certificates = new Set(group.map((login) => `${login.ca?.trim() ?? ""}\n`));
    const body = [...certificates].join("");
    documents.push({ kind: "file", path, mode: 0o644, folderMode: 0o755, entries: [], body });
  }
  return { documents, warnings };
}

/** The one key of a whole file, as it stands in changes and in the state. */
export const WHOLE_FILE = "(file)";

/** Is this a document of a certificate, wanted or once wanted. */
export function isCertificate(document: FileDocument): boolean {
  return document.path.endsWith(".crt");
}

/** Writes a whole file; without a body, removes it if it is ours. A foreign one is replaced with a warning. */
export function mergeWholeFile(
  current: Uint8Array | undefined,
  document: FileDocument,
  owned: ReadonlySet<string>,
): Merged {
  const { body, path } = document;
  const change = { key: WHOLE_FILE, login: undefined };
  if (body === undefined) {
    if (current === undefined || !owned.has(WHOLE_FILE))
      return { content: current, changes: [], warnings: [], refusals: [] };
    return { content: undefined, changes: [{ ...change, action: "remove" }], warnings: [], refusals: [] };
  }
  const wanted = new TextEncoder().encode(body);
  if (current === undefined)
    return { content: wanted, changes: [{ ...change, action: "add" }], warnings: [], refusals: [] };
  if (Buffer.from(current).equals(wanted))
    return { content: current, changes: [{ ...change, action: "keep" }], warnings: [], refusals: [] };
  const warnings: Warning[] = owned.has(WHOLE_FILE)
    ? []
    : [{ kind: "format", message: `${path} was not written by wharf and is replaced` }];
  const changes = [
    { ...change, action: "update", differs: [isCertificate(document) ? "certificate" : "text"] } as const,
  ];
  return { content: wanted, changes, warnings, refusals: [] };
}
