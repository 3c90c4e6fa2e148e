import type { Target } from "../contract.ts";

/** One file that Podman and its kin look into. `dockercfg`: the old form, a bare map with keys of hosts alone. */
export interface AuthPath {
  readonly path: string;
  readonly form: "auth.json" | "dockercfg";
}

/**
 * The files in search order. One named by `--authfile` (here the option `file`, as CRI-O's global_auth_file), `REGISTRY_AUTH_FILE` or
 * `DOCKER_CONFIG` is the only one; else the runtime folder's, which a reboot empties, then the persistent one, then docker's.
 */
export function podmanPaths(target: Target): readonly AuthPath[] {
  const only = podmanOnlyFile(target);
  if (only !== undefined) return [{ path: only, form: "auth.json" }];
  const { env, home } = target;
  const runtime = set(env["XDG_RUNTIME_DIR"]);
  return [
    {
      path:
        runtime === undefined ? `/run/containers/${target.uid}/auth.json` : `${runtime}/containers/auth.json`,
      form: "auth.json",
    },
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

function podmanOnlyFile(target: Target): string | undefined {
  const docker = set(target.env["DOCKER_CONFIG"]);
  return (
    optionFile(target) ??
    set(target.env["REGISTRY_AUTH_FILE"]) ??
    (docker === undefined ? undefined : `${docker}/config.json`)
  );
}

function persistentFile(target: Target): string {
  return `${set(target.env["XDG_CONFIG_HOME"]) ?? `${target.home}/.config`}/containers/auth.json`;
}

function set(value: string | undefined): string | undefined {
  return value === undefined || value === "" ? undefined : value;
}
