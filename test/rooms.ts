/** The table of the house (design, "The house"): which room may import which, through doors only. */
export const rooms: Readonly<Record<string, readonly string[]>> = {
  core: [],
  system: ["core"],
  oci: ["core"],
  // Ansible's file formats: a source of secrets (logins) and a consumer both read and write them, and neither may import the other.
  ansible: ["core"],
  client: ["core", "system", "oci"],
  consumers: ["core", "oci", "ansible"],
  places: ["core", "system"],
  // oci: a registry's name has one canonical form; two parsers of it would deliver a login to another host than it is proved at.
  logins: ["core", "system", "oci", "ansible"],
  keychain: ["core", "system", "oci", "logins", "consumers", "places"],
  delivery: ["core", "system", "oci", "client", "consumers", "places", "logins", "keychain"],
  images: ["core", "system", "oci", "client"],
  catalog: ["core", "system"],
  blobs: ["core", "system"],
  access: ["core", "system", "oci", "catalog"],
  registry: ["core", "system", "oci", "access", "catalog", "blobs"],
  proxy: ["core", "system", "oci", "client", "catalog", "blobs"],
  jobs: ["core", "system", "oci", "client", "catalog", "blobs", "images"],
  api: ["core", "oci", "access", "catalog"],
  portal: ["api"],
  server: [
    "core",
    "system",
    "oci",
    "client",
    "catalog",
    "blobs",
    "access",
    "registry",
    "proxy",
    "jobs",
    "api",
    "portal",
  ],
  // oci: a helper is asked by a registry's name, which has one canonical form.
  programs: ["core", "system", "oci", "keychain", "logins", "client", "images"],
  cli: ["*"],
};

/** Which room owns which third-party package. A package that is not here may not be imported in src/. */
export const packages: Readonly<Record<string, readonly string[]>> = {
  hono: ["api", "server"],
  zod: ["api", "logins"],
  "@hono/zod-openapi": ["api"],
  jose: ["access"],
  "age-encryption": ["logins"],
  // places: the kubeconfig is YAML, and its mistakes are told with their line.
  yaml: ["logins", "consumers", "ansible", "server", "places"],
  commander: ["cli"],
};

/**
 * Which room may open which part of the machine. `system` is the door to it; the others own the one thing that they are made of.
 * node:crypto, node:path and node:buffer compute and touch nothing: everybody may.
 */
export const builtins: Readonly<Record<string, readonly string[]>> = {
  "node:crypto": ["*"],
  "node:path": ["*"],
  "node:buffer": ["*"],
  "node:util": ["*"],
  "node:string_decoder": ["*"],
  "bun:sqlite": ["catalog"],
  "bun:ffi": ["system", "blobs"],
  // images: a result of gigabytes is written by position, as its parts become known.
  "node:fs": ["system", "blobs", "images"],
  "node:fs/promises": ["system", "blobs", "images"],
  "node:worker_threads": ["system", "blobs"],
  "node:os": ["system"],
  "node:net": ["system", "server"],
  "node:tls": ["system", "server"],
  "node:tty": ["system"],
  "node:readline": ["system"],
  "node:stream": ["system"],
  "node:child_process": ["system"],
  "node:process": ["system"],
  "node:zlib": ["system"],
  "node:dns": ["system"],
  bun: ["system", "blobs", "server", "catalog"],
};
