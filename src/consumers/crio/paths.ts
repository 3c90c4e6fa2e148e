import type { Target } from "../contract.ts";
import { podmanPaths } from "../podman/paths.ts";

/** The main file, which stays as it is. */
export const MAIN_FILE = "/etc/crio/crio.conf";
/** Ours: files of this folder are read in the order of their names, and the last one wins. */
export const DROP_IN = "/etc/crio/crio.conf.d/99-wharf-auth.conf";
const OWN_AUTH_FILE = "/etc/crio/wharf-auth.json";

/** The file that the delivery names as `file:`, which CRI-O is told of already; undefined: one of our own, with a drop-in. */
export function namedFile(target: Target): string | undefined {
  const file = target.options?.["file"];
  return typeof file === "string" && file.startsWith("/") ? file : undefined;
}

export function authFile(target: Target): string {
  return namedFile(target) ?? OWN_AUTH_FILE;
}

/** What CRI-O looks for without a `global_auth_file`: root's own, as the library of Podman does, with no environment. */
export function rootTarget(): Target {
  return { home: "/root", user: "root", uid: 0, env: {} };
}

export function crioFiles(target: Target): readonly string[] {
  const usual = podmanPaths(rootTarget()).map(({ path }) => path);
  return [MAIN_FILE, DROP_IN, ...new Set([authFile(target), OWN_AUTH_FILE, ...usual])];
}
