import { authsOf } from "../auth-file.ts";
import type { FileDocument, Warning } from "../contract.ts";
import type { JsonObject } from "../json-text.ts";
import { takesFrom } from "./keyring.ts";

/** What of a file's other members matters to the kubelet: entries that it tries before ours, and helpers that it does not know. */
export function inspectKeys(root: JsonObject, document: FileDocument): readonly Warning[] {
  const ours = new Set(document.entries.map((entry) => entry.key));
  const foreign = (authsOf(root)?.members ?? []).map((member) => member.key).filter((key) => !ours.has(key));
  return [
    ...document.entries.flatMap((entry) =>
      foreign
        .filter((key) => takesFrom(key, entry.key))
        .map(
          (key): Warning => ({
            kind: "shadowed",
            login: entry.login,
            message: `${document.path}: the kubelet tries the entry ${key}, which wharf did not write, for some of these images first`,
            hint: "remove it if it is old",
          }),
        ),
    ),
    ...(["credsStore", "credHelpers"] as const)
      .filter((name) => root.members.some((member) => member.key === name))
      .map(
        (name): Warning => ({
          kind: "format",
          message: `${document.path}: kubelet does not read ${name}; logins kept there are not in this file`,
        }),
      ),
  ];
}
