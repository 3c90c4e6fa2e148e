import { AppError } from "#core";
import type { KubeRights } from "./kube-rights.ts";

/** Who the rights are for. */
export interface RbacSubject {
  readonly kind: "ServiceAccount" | "User" | "Group";
  readonly name: string;
  /** Of a ServiceAccount. */
  readonly namespace?: string;
}

interface Rule {
  /** API group; undefined: the core's. */
  readonly group?: string;
  readonly resource: string;
  readonly verbs: readonly string[];
  readonly names: readonly string[];
}

/** What is done with an object: a Secret is made, changed and pruned; a ServiceAccount is read and its list changed. */
const VERBS = {
  secrets: ["get", "create", "patch", "delete"],
  serviceaccounts: ["get", "patch"],
} as const;

/** To announce a login that ends beside its Secret: an Event is written, and counted on. A name cannot be held to while it is made. */
const EVENTS: Rule = { group: "events.k8s.io", resource: "events", verbs: ["create", "patch"], names: [] };

/** What `wharf watch` needs besides: to be told of changes, to write Events, a Lease, and the Secret `NAME-state` beside it. */
export interface WatchRights {
  readonly namespace: string;
  readonly name: string;
}

/**
 * The manifest of the least that the deliveries at one cluster need. Everything is held to the names of the objects, lists too: where
 * namespaces are found by selector, the names are allowed in all of the cluster. `lease`: for `wharf watch`, which announces what ends too.
 */
export function renderRbac(rights: KubeRights, subject: RbacSubject, lease?: WatchRights): string {
  const name = lease === undefined ? "wharf-delivery" : "wharf-watch";
  const told = lease === undefined ? [] : ["watch"];
  const spaces = Map.groupBy(rights.rights, ({ namespace }) => namespace ?? "");
  const everywhere = spaces.get("") ?? [];
  const documents: string[] = [];
  if (everywhere.length > 0 || rights.findsNamespaces) {
    const rules = everywhere.map(
      ({ kind, names }): Rule => ({ resource: kind, verbs: [...VERBS[kind], "list", ...told], names }),
    );
    // Who watches all of the cluster watches these names in all of it.
    if (lease !== undefined)
      for (const { namespace, kind, names } of rights.rights)
        if (namespace !== undefined) rules.push({ resource: kind, verbs: told, names });
    if (lease !== undefined && holdsSecrets(everywhere)) rules.push(EVENTS);
    const listing: Rule = { resource: "namespaces", verbs: ["list", ...told], names: [] };
    documents.push(
      renderRole("ClusterRole", { name }, rights.findsNamespaces ? [listing, ...rules] : rules),
      renderBinding("ClusterRole", { name }, subject),
    );
  }
  const looks = rights.reads.flatMap((path) => lookOf(path) ?? []);
  for (const namespace of new Set([...spaces.keys(), ...looks.map((look) => look.namespace)])) {
    if (namespace === "") continue;
    const rules = [
      ...(spaces.get(namespace) ?? []).map(
        ({ kind, names }): Rule => ({
          resource: kind,
          verbs: [...VERBS[kind], ...(rights.findsNamespaces ? [] : told)],
          names,
        }),
      ),
      ...looks.filter((look) => look.namespace === namespace),
      ...(lease !== undefined && holdsSecrets(spaces.get(namespace) ?? []) ? [EVENTS] : []),
    ];
    documents.push(
      renderRole("Role", { name, namespace }, rules),
      renderBinding("Role", { name, namespace }, subject),
    );
  }
  if (lease !== undefined) {
    const group = "coordination.k8s.io";
    const at = { name: `${name}-lease`, namespace: lease.namespace };
    // A name cannot be held to while it is made.
    const rules: readonly Rule[] = [
      { group, resource: "leases", verbs: ["create"], names: [] },
      { group, resource: "leases", verbs: ["get", "patch"], names: [lease.name] },
      // What was delivered, for whoever leads next.
      { resource: "secrets", verbs: ["get", "create", "patch"], names: [`${lease.name}-state`] },
    ];
    documents.push(renderRole("Role", at, rules), renderBinding("Role", at, subject));
  }
  return documents.join("---\n");
}

function holdsSecrets(rights: KubeRights["rights"]): boolean {
  return rights.some(({ kind }) => kind === "secrets");
}

/** `NAMESPACE/NAME` as a ServiceAccount. Throws USAGE. */
export function parseServiceAccount(text: string): RbacSubject {
  const label = "[a-z0-9](?:[a-z0-9-]*[a-z0-9])?";
  const parts = new RegExp(`^(${label})/(${label}(?:\\.${label})*)$`).exec(text);
  const [, namespace, name] = parts ?? [];
  if (namespace !== undefined && name !== undefined) return { kind: "ServiceAccount", namespace, name };
  throw new AppError(
    "USAGE",
    `${JSON.stringify(text.slice(0, 80))} is not NAMESPACE/NAME of a ServiceAccount`,
  );
}

/** The rule for an object that is only looked at; undefined for one of the whole cluster. */
function lookOf(path: string): (Rule & { readonly namespace: string }) | undefined {
  const parts = /^\/apis\/([^/]+)\/[^/]+\/namespaces\/([^/]+)\/([^/]+)\/([^/]+)$/.exec(path);
  const [, group, namespace, resource, object] = parts ?? [];
  if (group === undefined || namespace === undefined || resource === undefined || object === undefined)
    return undefined;
  return { group, namespace, resource, names: [object], verbs: ["get"] };
}

interface RoleName {
  readonly name: string;
  readonly namespace?: string;
}

function renderRole(kind: "Role" | "ClusterRole", at: RoleName, rules: readonly Rule[]): string {
  const lines = rules.flatMap(({ group = "", resource, verbs, names }) => [
    `  - apiGroups: [${JSON.stringify(group)}]`,
    `    resources: [${resource}]`,
    ...(names.length === 0 ? [] : [`    resourceNames: ${JSON.stringify(names)}`]),
    `    verbs: [${verbs.join(", ")}]`,
  ]);
  return [...head(kind, at), "rules:", ...lines, ""].join("\n");
}

function renderBinding(kind: "Role" | "ClusterRole", at: RoleName, subject: RbacSubject): string {
  const group = subject.kind === "ServiceAccount" ? [] : ["    apiGroup: rbac.authorization.k8s.io"];
  const where =
    subject.namespace === undefined ? [] : [`    namespace: ${JSON.stringify(subject.namespace)}`];
  return [
    ...head(`${kind}Binding`, at),
    "roleRef:",
    "  apiGroup: rbac.authorization.k8s.io",
    `  kind: ${kind}`,
    `  name: ${at.name}`,
    "subjects:",
    `  - kind: ${subject.kind}`,
    `    name: ${JSON.stringify(subject.name)}`,
    ...where,
    ...group,
    "",
  ].join("\n");
}

function head(kind: string, { name, namespace }: RoleName): readonly string[] {
  return [
    "apiVersion: rbac.authorization.k8s.io/v1",
    `kind: ${kind}`,
    "metadata:",
    `  name: ${name}`,
    ...(namespace === undefined ? [] : [`  namespace: ${JSON.stringify(namespace)}`]),
  ];
}
