import { type Document, isMap, parseAllDocuments } from "yaml";
import { AppError } from "#core";

/** A pull secret in a YAML file, with the place of its one value. */
export interface SecretYaml {
  readonly name: string;
  readonly namespace: string | undefined;
  readonly labels: ReadonlyMap<string, string>;
  /** What `.dockerconfigjson` decodes to. */
  readonly config: Uint8Array;
  /** The file with another value there; all else byte for byte. */
  withConfig(config: Uint8Array): string;
}

export const SECRET_TYPE = "kubernetes.io/dockerconfigjson";
const KEY = ".dockerconfigjson";
const MANAGED_BY = "app.kubernetes.io/managed-by";
const MAX_BYTES = 4 * 1024 * 1024;

/**
 * Parses a file that holds one Secret of that type. Throws FILE_INVALID with line and column, for other objects and several documents
 * too: such a file is not ours to write.
 */
export function parseSecretYaml(bytes: Uint8Array, path: string): SecretYaml {
  const text = decode(bytes, path);
  const documents = parseAllDocuments(text, { uniqueKeys: true });
  const [document] = documents;
  if (!Array.isArray(documents) || document === undefined) throw invalid(path, "it is empty");
  const [fault] = document.errors;
  if (fault !== undefined) {
    const at = fault.linePos?.[0];
    throw invalid(at === undefined ? path : `${path}:${at.line}:${at.col}`, "this is not YAML");
  }
  if (documents.length > 1)
    throw invalid(path, "it holds several objects; a pull secret has a file of its own");
  if (document.get("kind") !== "Secret" || document.get("type") !== SECRET_TYPE)
    throw invalid(path, `it is not a Secret of type ${SECRET_TYPE}`);
  const name = document.getIn(["metadata", "name"]);
  const namespace = document.getIn(["metadata", "namespace"]);
  const node = document.getIn(["data", KEY], true);
  if (typeof name !== "string" || !isScalarNode(node))
    throw invalid(path, `it has no name, or no ${KEY} under data (stringData is not edited)`);
  const [start, end] = node.range;
  const isBlock = /^[|>]/.test(text.slice(start, start + 1));
  const value = node.value.replace(/\s/g, "");
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(value)) throw invalid(path, `${KEY} is not base64`);
  return {
    name,
    namespace: typeof namespace === "string" ? namespace : undefined,
    labels: labelsOf(document),
    config: Buffer.from(value, "base64"),
    withConfig: (config) =>
      text.slice(0, start) + renderConfig(config) + (isBlock ? "\n" : "") + text.slice(end),
  };
}

/**
 * The YAML around the value: what a new file begins with. Without a namespace, `kubectl apply -n` decides. Values of labels are always
 * quoted: a bare `true` is no text, and the server refuses it.
 */
export function renderHead(
  name: string,
  namespace: string | undefined,
  labels: Readonly<Record<string, string>> = {},
): string {
  const lines = [
    "apiVersion: v1",
    "kind: Secret",
    "metadata:",
    `  name: ${plain(name)}`,
    ...(namespace === undefined ? [] : [`  namespace: ${plain(namespace)}`]),
    "  labels:",
    `    ${MANAGED_BY}: wharf`,
    ...Object.entries(labels).map(([key, value]) => `    ${key}: ${JSON.stringify(value)}`),
    `type: ${SECRET_TYPE}`,
    "data:",
  ];
  return `${lines.join("\n")}\n`;
}

/** What a head says: which Secret it is, and its labels but for who wrote it. */
export function readHead(head: string): Pick<SecretYaml, "name" | "namespace" | "labels"> {
  const [document] = parseAllDocuments(head);
  const name: unknown = document?.getIn(["metadata", "name"]);
  const namespace: unknown = document?.getIn(["metadata", "namespace"]);
  const labels = new Map(document === undefined ? [] : labelsOf(document));
  labels.delete(MANAGED_BY);
  return {
    name: typeof name === "string" ? name : "",
    namespace: typeof namespace === "string" ? namespace : undefined,
    labels,
  };
}

/** A whole new file. */
export function renderSecretYaml(head: string, config: Uint8Array): string {
  return `${head}  ${KEY}: ${renderConfig(config)}\n`;
}

/** The value: base64 on one line; `base64` on a terminal breaks it at 76 characters, which makes it another value. */
function renderConfig(config: Uint8Array): string {
  return Buffer.from(config).toString("base64");
}

/** In quotes where YAML would take the name for a number, a truth or nothing. */
function plain(name: string): string {
  return /^[a-z][a-z0-9-]*$/.test(name) && !/^(?:true|false|null|yes|no|on|off|y|n)$/.test(name)
    ? name
    : JSON.stringify(name);
}

function labelsOf(document: Document): ReadonlyMap<string, string> {
  const node: unknown = document.getIn(["metadata", "labels"]);
  const value: unknown = isMap(node) ? node.toJSON() : {};
  const found = typeof value === "object" && value !== null ? Object.entries(value) : [];
  return new Map(found.filter((pair): pair is [string, string] => typeof pair[1] === "string"));
}

function isScalarNode(node: unknown): node is { value: string; range: [number, number, number] } {
  return (
    typeof node === "object" &&
    node !== null &&
    "value" in node &&
    typeof node.value === "string" &&
    "range" in node &&
    Array.isArray(node.range)
  );
}

function decode(bytes: Uint8Array, path: string): string {
  if (bytes.length > MAX_BYTES) throw invalid(path, `it is larger than ${MAX_BYTES} bytes`);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw invalid(path, "it is not UTF-8 text");
  }
}

function invalid(where: string, why: string): AppError {
  return new AppError("FILE_INVALID", `${where}: ${why}`, {
    hint: "mend the file or move it away; wharf left it as it is",
  });
}
