import { parseObjectPath, renderObjectPath } from "#core";
import type { DeliveredRecord } from "./contract.ts";

/**
 * Of the records, the references (a ServiceAccount's imagePullSecrets) to Secrets that hold nothing of ours once `leaving` has gone: they
 * go with it. Each belongs to no login of its own.
 */
export function referencesOf(
  records: readonly DeliveredRecord[],
  leaving: readonly DeliveredRecord[],
): readonly DeliveredRecord[] {
  const gone = new Set(leaving);
  const staying = new Set(records.filter((record) => !gone.has(record)).map(fileKey));
  const emptied = new Set(leaving.map(fileKey).filter((key) => !staying.has(key)));
  return records.filter((record) => {
    const at = parseObjectPath(record.file);
    if (at?.kind !== "serviceaccounts") return false;
    const file = renderObjectPath({ namespace: at.namespace, kind: "secrets", name: record.key });
    return emptied.has(fileKey({ place: record.place, file }));
  });
}

function fileKey({ place, file }: Pick<DeliveredRecord, "place" | "file">): string {
  return JSON.stringify([place, file]);
}
