import type { Target } from "../contract.ts";

/** The two distributions differ in their name alone. */
export type Distribution = "k3s" | "rke2";

/** `registries.yaml`, or what the delivery names as `file:` (`--private-registry`). */
export function registriesPath(distribution: Distribution, target: Target): string {
  const file = target.options?.["file"];
  return typeof file === "string" && file.startsWith("/")
    ? file
    : `/etc/rancher/${distribution}/registries.yaml`;
}

/** Somebody's own templates of containerd's configuration, the one that is taken first. */
export function templatePaths(distribution: Distribution): readonly string[] {
  const folder = `/var/lib/rancher/${distribution}/agent/etc/containerd`;
  return [`${folder}/config-v3.toml.tmpl`, `${folder}/config.toml.tmpl`];
}

/** Certificates that we put there, by name of file. */
export function certificatePath(distribution: Distribution, registry: string): string {
  return `/etc/rancher/${distribution}/certs.d/${registry}/ca.crt`;
}
