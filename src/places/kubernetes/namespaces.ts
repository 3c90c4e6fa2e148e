import { AppError, type Context } from "#core";
import type { KubeClient } from "./kube-client.ts";
import type { KubeNamespace } from "./objects.ts";

/**
 * The namespaces that a delivery's options mean, sorted. Named ones are not asked for: nothing more than their Secrets must be readable.
 * `all` and a selector leave out those that are being deleted. Throws CONFIG_INVALID.
 */
export async function findNamespaces(
  context: Context,
  connect: () => Promise<{
    readonly client: KubeClient;
    readonly connection: { readonly namespace: string };
  }>,
  options: Readonly<Record<string, unknown>>,
): Promise<readonly string[]> {
  const { namespaces, namespace } = options;
  if (namespaces === undefined) return [nameOf(namespace ?? (await connect()).connection.namespace)];
  if (Array.isArray(namespaces)) return [...new Set(namespaces.map(nameOf))].sort();
  const selector = namespaces === "all" ? undefined : selectorOf(namespaces);
  const { client } = await connect();
  const { items } = await client.list<KubeNamespace>(context, "/api/v1/namespaces", {
    ...(selector === undefined ? {} : { labels: selector }),
    isMetadataOnly: true,
  });
  return items
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ metadata }) => metadata.name)
    .sort();
}

function selectorOf(value: unknown): string {
  const selector: unknown =
    typeof value === "object" && value !== null && "selector" in value ? value.selector : undefined;
  if (typeof selector === "string" && selector.trim() !== "" && Object.keys(value as object).length === 1)
    return selector;
  throw new AppError("CONFIG_INVALID", "namespaces: is neither a list of names, nor all, nor a selector", {
    hint: 'write namespaces: [a, b], namespaces: all, or namespaces: { selector: "team=ml" }',
  });
}

function nameOf(value: unknown): string {
  if (typeof value === "string" && value.length <= 63 && /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/.test(value))
    return value;
  const shown = typeof value === "string" ? JSON.stringify(value.slice(0, 80)) : "what stands there";
  throw new AppError("CONFIG_INVALID", `${shown} is not a Kubernetes namespace`, {
    hint: "use lower-case letters, digits and '-', beginning and ending with a letter or digit",
  });
}
