import type { Target } from "../contract.ts";

const MAIN_FILE = "/etc/containerd/config.toml";

/** Folder of certificates and `hosts.toml`: what containerd 2 looks into by itself, and 1 where `config_path` names it. */
export const HOSTS_FOLDER = "/etc/containerd/certs.d";

/** The file that we write: the main one, or what the delivery names as `file:`. */
export function writtenFile(target: Target): string {
  const file = target.options?.["file"];
  return typeof file === "string" && file.startsWith("/") ? file : MAIN_FILE;
}

/** Is it a file that the main one imports: containerd's own convention is a folder `conf.d`. */
export function isDropIn(path: string): boolean {
  return /\/conf\.d\/[^/]+\.toml$/.test(path);
}

/** The main file of containerd there; another one (`--config`) is named by `file:`. */
export function mainFile(target: Target): string {
  const written = writtenFile(target);
  return isDropIn(written) ? MAIN_FILE : written;
}

/** In the order that containerd reads them. */
export function containerdFiles(target: Target): readonly string[] {
  return [...new Set([mainFile(target), writtenFile(target)])];
}

/** The certificate of a registry's CA, and the file that names it. */
export function certificatePath(registry: string): string {
  return `${HOSTS_FOLDER}/${registry}/ca.crt`;
}

export function hostsPath(registry: string): string {
  return `${HOSTS_FOLDER}/${registry}/hosts.toml`;
}
