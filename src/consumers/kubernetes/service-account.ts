import { AppError, Secret } from "#core";
import type { EntryChange, FileDocument, Merged } from "../contract.ts";

/** A document that has a ServiceAccount name this Secret, beside the others that it names. The reference belongs to no single login. */
export function serviceAccountDocument(path: string, secretName: string): FileDocument {
  const entry = { key: secretName, login: "", content: new Secret(secretName) };
  return { kind: "file", path, mode: 0o600, folderMode: 0o700, entries: [entry] };
}

/**
 * Adds the names that are missing to a ServiceAccount's imagePullSecrets, at the end, and takes out those that are ours and wanted no
 * more. Others' names stay, in their order (the list is atomic: whoever writes it, writes all of it).
 */
export function mergeServiceAccount(
  current: Uint8Array | undefined,
  document: FileDocument,
  owned: ReadonlySet<string>,
): Merged {
  const wanted = document.entries.map(({ key }) => key);
  if (current === undefined) {
    const [, , namespace = "", , name = ""] = document.path.split("/");
    const message = `namespace ${namespace} has no ServiceAccount ${name}, so nothing refers to the Secret there`;
    const warnings = wanted.length === 0 ? [] : [{ kind: "format", message } as const];
    return { content: undefined, changes: [], warnings, refusals: [] };
  }
  const present = parseNames(current, document.path);
  const gone = present.filter((name) => owned.has(name) && !wanted.includes(name));
  const missing = wanted.filter((name) => !present.includes(name));
  const changes: EntryChange[] = [
    ...wanted.map(
      (key) => ({ key, login: undefined, action: missing.includes(key) ? "add" : "keep" }) as const,
    ),
    ...gone.map((key) => ({ key, login: undefined, action: "remove" }) as const),
  ];
  if (gone.length + missing.length === 0) return { content: current, changes, warnings: [], refusals: [] };
  const imagePullSecrets = [...present.filter((name) => !gone.includes(name)), ...missing];
  return {
    content: Buffer.from(JSON.stringify({ imagePullSecrets })),
    changes,
    warnings: [],
    refusals: [],
  };
}

function parseNames(bytes: Uint8Array, path: string): readonly string[] {
  const value = JSON.parse(Buffer.from(bytes).toString()) as {
    readonly imagePullSecrets?: readonly string[];
  };
  if (Array.isArray(value.imagePullSecrets)) return value.imagePullSecrets;
  throw new AppError("FILE_INVALID", `${path}: this is not a ServiceAccount`);
}
