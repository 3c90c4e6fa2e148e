import type { Target } from "../contract.ts";

/** One file that the kubelet looks for. `dockercfg`: the old form, a bare map of entries. */
export interface NodeFile {
  readonly path: string;
  readonly form: "config.json" | "dockercfg";
}

const ROOT_DIR = "/var/lib/kubelet";

/** The file that is first in the kubelet's search: `config.json` in its `--root-dir`, or what the delivery names as `file:`. */
export function nodeFilePath(target: Target): string {
  const file = target.options?.["file"];
  return typeof file === "string" && file.startsWith("/") ? file : `${ROOT_DIR}/config.json`;
}

/**
 * The kubelet's search order (pkg/credentialprovider config.go, 1.36.3) as systemd runs it: in the folder `/`, without HOME. All places
 * of the new form come before any of the old one.
 */
export function nodeFiles(target: Target): readonly NodeFile[] {
  const first = nodeFilePath(target);
  const folder = first.slice(0, first.lastIndexOf("/"));
  const files: readonly NodeFile[] = [
    { path: first, form: "config.json" },
    { path: "/config.json", form: "config.json" },
    { path: "/.docker/config.json", form: "config.json" },
    { path: `${folder}/.dockercfg`, form: "dockercfg" },
    { path: "/.dockercfg", form: "dockercfg" },
  ];
  return files.filter((file, index) => files.findIndex(({ path }) => path === file.path) === index);
}
