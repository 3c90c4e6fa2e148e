import type { KeyPath } from "#core";

/** Where a node keeps an object's configuration, in both generations. */
export function objectFile({ namespace, kind, name }: KeyPath): string {
  return namespace === "root"
    ? `/etc/opensvc/${kind}/${name}.conf`
    : `/etc/opensvc/namespaces/${namespace}/${kind}/${name}.conf`;
}

/** Has the object this key: its encrypted value stands under that name in the section `data`. */
export function hasKey(text: string, key: string): boolean {
  let section = "";
  for (const line of text.split(/\r?\n/)) {
    section = /^\[([^\]]+)\]\s*$/.exec(line)?.[1] ?? section;
    if (section === "data" && new RegExp(`^${key.replaceAll(".", "\\.")}\\s*[=:]\\s*\\S`).test(line))
      return true;
  }
  return false;
}
