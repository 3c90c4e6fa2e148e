/** Kinds of Kubernetes objects that a cluster has as files. */
export type ObjectKind = "secrets" | "serviceaccounts";

/** A Kubernetes object where a cluster is a place: its path there is `/namespaces/NAMESPACE/KIND/NAME`. */
export interface ObjectPath {
  readonly namespace: string;
  readonly kind: ObjectKind;
  readonly name: string;
}

export function renderObjectPath({ namespace, kind, name }: ObjectPath): string {
  return `/namespaces/${namespace}/${kind}/${name}`;
}

/** The object that a path names; undefined for a path of a file. */
export function parseObjectPath(path: string): ObjectPath | undefined {
  const parts = /^\/namespaces\/([a-z0-9-]{1,63})\/(secrets|serviceaccounts)\/([a-z0-9.-]{1,253})$/.exec(
    path,
  );
  const [, namespace, kind, name] = parts ?? [];
  if (namespace === undefined || name === undefined || (kind !== "secrets" && kind !== "serviceaccounts"))
    return undefined;
  return { namespace, kind, name };
}
