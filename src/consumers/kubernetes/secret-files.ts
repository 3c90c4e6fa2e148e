import { AppError, renderObjectPath } from "#core";
import type { Target } from "../contract.ts";

const DEFAULT_NAME = "regcred";

/** One Secret that the delivery's options ask for: a file of a folder, or an object of a cluster. */
export interface SecretFile {
  readonly path: string;
  readonly name: string;
  readonly namespace: string | undefined;
}

/**
 * The files: `name:` (regcred), and `namespace:` or `namespaces:` for one Secret each, in a folder of that name. `file:` places the
 * one of a single namespace. In a cluster: the object in each of its namespaces. Throws CONFIG_INVALID for names that Kubernetes does not take.
 */
export function secretFiles(target: Target): readonly SecretFile[] {
  const options = target.options ?? {};
  const name = options["name"] ?? DEFAULT_NAME;
  if (typeof name !== "string" || !isSubdomain(name)) throw badName("name", name);
  if (target.namespaces !== undefined)
    return target.namespaces.map((namespace) => ({
      path: renderObjectPath({ namespace, kind: "secrets", name }),
      name,
      namespace,
    }));
  const listed = options["namespaces"] ?? (options["namespace"] === undefined ? [] : [options["namespace"]]);
  if (!Array.isArray(listed))
    throw new AppError("CONFIG_INVALID", "namespaces: is not a list of names", {
      hint: "list them: namespaces: [team-a, team-b]; `all` and a selector need a cluster to ask: at: k8s://CONTEXT",
    });
  const namespaces = listed.map((item: unknown) => {
    if (typeof item !== "string" || !isLabel(item)) throw badName("namespace", item);
    return item;
  });
  const file = options["file"];
  if (typeof file === "string" && file.startsWith("/") && namespaces.length < 2)
    return [{ path: file, name, namespace: namespaces[0] }];
  if (namespaces.length === 0) return [{ path: `${target.home}/${name}.yaml`, name, namespace: undefined }];
  return namespaces.map((namespace) => ({
    path: `${target.home}/${namespace}/${name}.yaml`,
    name,
    namespace,
  }));
}

/** The ServiceAccounts of `service-accounts:`, one name or a list; none without. Throws CONFIG_INVALID for names that Kubernetes does not take. */
export function serviceAccountsOf(target: Target): readonly string[] {
  const option = target.options?.["service-accounts"] ?? [];
  const listed: readonly unknown[] = Array.isArray(option) ? option : [option];
  return [...new Set(listed)].map((item) => {
    if (typeof item !== "string" || !isSubdomain(item)) throw badName("service account", item);
    return item;
  });
}

export function badName(option: string, value: unknown): AppError {
  const shown = typeof value === "string" ? JSON.stringify(value.slice(0, 80)) : "what stands there";
  return new AppError("CONFIG_INVALID", `${shown} is not a Kubernetes ${option}`, {
    hint: "use lower-case letters, digits and '-', beginning and ending with a letter or digit",
  });
}

export function isSubdomain(text: string): boolean {
  return text.length <= 253 && text.split(".").every((part) => isLabel(part));
}

function isLabel(text: string): boolean {
  return text.length <= 63 && /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/.test(text);
}
