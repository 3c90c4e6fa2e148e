import type { WharfConfig } from "#logins";

/** A pull secret that wharf.yaml delivers. */
export interface DeliveredPullSecret {
  readonly name: string;
  /** Namespaces that it is in; undefined where wharf.yaml does not name them: found by a selector, or by whoever applies the file. */
  readonly namespaces: readonly string[] | undefined;
}

/** Every Secret of the deliveries to `kubernetes`, in their order; empty where there is none. */
export function deliveredPullSecrets(config: WharfConfig): readonly DeliveredPullSecret[] {
  return config.deliveries
    .filter(({ to }) => to === "kubernetes")
    .map(({ options }) => {
      const name = options["name"];
      return { name: typeof name === "string" ? name : "regcred", namespaces: namespacesOf(options) };
    });
}

/** Names of those that a pod of this namespace may use; where either side names no namespace, it may. */
export function pullSecretsFor(
  secrets: readonly DeliveredPullSecret[],
  namespace: string | undefined,
): readonly string[] {
  const usable = secrets.filter(
    ({ namespaces }) => namespace === undefined || namespaces === undefined || namespaces.includes(namespace),
  );
  return [...new Set(usable.map(({ name }) => name))];
}

function namespacesOf(options: Readonly<Record<string, unknown>>): readonly string[] | undefined {
  const { namespace, namespaces } = options;
  const listed = namespaces ?? (namespace === undefined ? undefined : [namespace]);
  return Array.isArray(listed) ? listed.map(String) : undefined;
}
