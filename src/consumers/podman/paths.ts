import type { Target } from "../contract.ts";

/** One file that Podman and its kin look into. `dockercfg`: the old form, a bare map with keys of hosts alone. */
export interface AuthPath {
  readonly path: string;
  readonly form: "auth.json" | "dockercfg";
}

/**
 * The files in search order. One named by `--authfile` (here the option `file`, as CRI-O's global_auth_file), `REGISTRY_AUTH_FILE` or
 * `DOCKER_CONFIG` is the only one; else the runtime folder's, which a reboot empties, then the persistent one, then docker's.
 * Before Podman 4.4 (containers/image#1751) a named file was only the first of them, and `DOCKER_CONFIG` was not known.
 */
export function podmanPaths(target: Target): readonly AuthPath[] {
  const { env, home } = target;
  const named = optionFile(target) ?? set(env["REGISTRY_AUTH_FILE"]);
  const docker = set(env["DOCKER_CONFIG"]);
  const isOld = isBefore44(target.version);
  const runtime = set(env["XDG_RUNTIME_DIR"]);
  const first = named ?? (docker === undefined || isOld ? undefined : `${docker}/config.json`);
  if (first !== undefined && !isOld) return [{ path: first, form: "auth.json" }];
  const usual =
    runtime === undefined ? `/run/containers/${target.uid}/auth.json` : `${runtime}/containers/auth.json`;
  return [
    { path: first ?? usual, form: "auth.json" },
    { path: persistentFile(target), form: "auth.json" },
    { path: `${home}/.docker/config.json`, form: "auth.json" },
    { path: `${home}/.dockercfg`, form: "dockercfg" },
  ];
}

/** Where logins are delivered: the file that is the only one, else the persistent one. */
export function podmanWritePath(target: Target): string {
  return optionFile(target) ?? set(target.env["REGISTRY_AUTH_FILE"]) ?? persistentFile(target);
}

/** The file for CRI-O or another program that is told its file (`file:` of the delivery); undefined without. */
export function optionFile(target: Target): string | undefined {
  const file = target.options?.["file"];
  return typeof file === "string" && file.startsWith("/") ? file : undefined;
}

function isBefore44(version: string | undefined): boolean {
  const parts = /(\d+)\.(\d+)/.exec(version ?? "");
  if (parts === null) return false;
  const [major, minor] = [Number(parts[1]), Number(parts[2])];
  // Where Podman itself is missing the version is Skopeo's (1.11 came with the same library) or Buildah's.
  if (major === 1) return minor < 11;
  return major < 4 || (major === 4 && minor < 4);
}

function persistentFile(target: Target): string {
  return `${set(target.env["XDG_CONFIG_HOME"]) ?? `${target.home}/.config`}/containers/auth.json`;
}

function set(value: string | undefined): string | undefined {
  return value === undefined || value === "" ? undefined : value;
}
