import { isMap, isScalar, parseAllDocuments } from "yaml";
import { isPlaceholder } from "../faults/placeholder.ts";
import { authLogins } from "./auth-logins.ts";
import type { FoundLogins } from "./contract.ts";
import { joinFound, NOTHING } from "./gathered.ts";

const KEYS = [".dockerconfigjson", ".dockercfg", "config.json"];

/** The logins of Secrets in YAML or JSON, by any key that holds a file of logins. */
export function secretLogins(text: string, path: string): FoundLogins {
  const documents = parseAllDocuments(text, { logLevel: "silent" });
  if (!Array.isArray(documents)) return NOTHING;
  return joinFound(
    documents.map((document) => {
      if (document.errors.length > 0)
        return { ...NOTHING, unusable: [{ where: path, why: "it is not YAML; `wharf doctor` says where" }] };
      const name: unknown = document.getIn(["metadata", "name"]);
      const where = typeof name === "string" && documents.length > 1 ? `${path} (${name})` : path;
      return joinFound([
        ...valuesOf(document.get("data")).map((value) =>
          isPlaceholder(value)
            ? exampleAt(where)
            : authLogins(Buffer.from(value.replace(/\s/g, ""), "base64").toString("utf8"), where),
        ),
        ...valuesOf(document.get("stringData")).map((value) => authLogins(value, where)),
      ]);
    }),
  );
}

function exampleAt(where: string): FoundLogins {
  return { ...NOTHING, unusable: [{ where, why: "its value only stands for one", isExample: true }] };
}

function valuesOf(node: unknown): readonly string[] {
  if (!isMap(node)) return [];
  return node.items.flatMap(({ key, value }) =>
    isScalar(key) && KEYS.includes(String(key.value)) && isScalar(value) && typeof value.value === "string"
      ? [value.value]
      : [],
  );
}
