import { AppError } from "#core";
import type { PlaceObject } from "./object-reader.ts";
import type { KubeObject } from "./objects.ts";

/** What a Secret's text says (`Cluster` of contract.ts). */
interface SecretText {
  readonly labels: Readonly<Record<string, string>>;
  readonly type: string;
  readonly force?: boolean;
  readonly data: Readonly<Record<string, string>>;
}

/** The text of a Secret as it is read: its members in a fixed order, so that equal Secrets have equal texts. */
export function renderSecretText(secret: PlaceObject): string {
  const { metadata, type = "Opaque", immutable, data = {} } = secret;
  return JSON.stringify({
    labels: sorted(metadata.labels ?? {}),
    type,
    ...(immutable === true ? { immutable } : {}),
    data: sorted(data),
  });
}

export function renderAccountText(account: PlaceObject): string {
  return JSON.stringify({ imagePullSecrets: (account.imagePullSecrets ?? []).map(({ name }) => name) });
}

/** The object to apply for a text, and whether fields are taken over. */
export interface ParsedSecret {
  readonly object: KubeObject;
  readonly force: boolean;
}

/** Throws INVALID_INPUT. */
export function parseSecretText(
  text: string,
  metadata: { readonly namespace: string; readonly name: string; readonly resourceVersion?: string },
): ParsedSecret {
  const { labels, type, data, force = false } = parse(text) as unknown as SecretText;
  if (typeof type !== "string" || typeof data !== "object" || typeof labels !== "object") throw malformed();
  return {
    force,
    object: { apiVersion: "v1", kind: "Secret", metadata: { ...metadata, labels }, type, data } as KubeObject,
  };
}

/** The names in a ServiceAccount's text. Throws INVALID_INPUT. */
export function parseAccountText(text: string): readonly { readonly name: string }[] {
  const names: unknown = parse(text)["imagePullSecrets"];
  if (!Array.isArray(names) || !names.every((name) => typeof name === "string")) throw malformed();
  return names.map((name) => ({ name }));
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Readonly<Record<string, unknown>>;
  } catch {
    // The parser's words would quote a secret.
  }
  throw malformed();
}

function malformed(): AppError {
  return new AppError("INVALID_INPUT", "this is not the text of an object that a cluster takes");
}

function sorted(record: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const keys = Object.keys(record);
  if (keys.length < 2) return record;
  return Object.fromEntries(keys.sort().map((key) => [key, record[key] ?? ""]));
}
