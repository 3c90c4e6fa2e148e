import { isProgramPath } from "#core";
import type { FileDocument, Merged, Target } from "./contract.ts";
import { WHOLE_FILE } from "./whole-file.ts";

/** The folder that a delivery's `bin-dir:` names, absolute; undefined where it names none. */
function binDirOf(target: Target): string | undefined {
  const folder = target.options?.["bin-dir"];
  return typeof folder === "string" && folder.startsWith("/") ? folder.replace(/\/+$/, "") : undefined;
}

/** The executable under the name of a program, where the delivery has a folder for it. First of all documents: the others name it. */
export function programDocuments(name: string, target: Target): readonly FileDocument[] {
  const folder = binDirOf(target);
  if (folder === undefined || target.executable === undefined) return [];
  const path = `${folder}/${name}`;
  return [{ kind: "file", path, mode: 0o755, folderMode: 0o755, entries: [], body: target.executable }];
}

/** Is this a document of the executable, wanted or once wanted. */
export function isProgram(document: FileDocument): boolean {
  return isProgramPath(document.path);
}

/** Puts the executable there, or another version of ours. What somebody else put there stays, and is not ours because it is the same. */
export function mergeProgram(
  current: Uint8Array | undefined,
  document: FileDocument,
  owned: ReadonlySet<string>,
): Merged {
  const { body, path } = document;
  const isOurs = owned.has(WHOLE_FILE);
  const change = { key: WHOLE_FILE, login: undefined };
  const wanted = body === undefined ? undefined : new TextEncoder().encode(body);
  const isSame = current !== undefined && wanted !== undefined && Buffer.compare(current, wanted) === 0;
  if (current !== undefined && !isOurs)
    return {
      content: current,
      changes: [],
      warnings:
        wanted === undefined || isSame
          ? []
          : [
              {
                kind: "format",
                message: `${path} is not from here, so it stays as it is`,
                hint: "it answers as its own version does; remove it there to have this one delivered",
              },
            ],
      refusals: [],
    };
  if (current === undefined && wanted === undefined)
    return { content: undefined, changes: [], warnings: [], refusals: [] };
  const action = current === undefined ? "add" : wanted === undefined ? "remove" : isSame ? "keep" : "update";
  const differs = action === "update" ? { differs: ["another version"] } : {};
  return {
    content: isSame ? current : wanted,
    changes: [{ ...change, action, ...differs }],
    warnings: [],
    refusals: [],
  };
}
