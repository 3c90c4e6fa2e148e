/** A key of an OpenSVC object where a node is a place: its path there is `/opensvc/vGENERATION/PROGRAM/NAMESPACE/KIND/NAME/KEY`. */
export interface KeyPath {
  readonly generation: 2 | 3;
  /** What reads the value: the rules that it is written by. */
  readonly program: "docker" | "podman";
  readonly namespace: string;
  readonly kind: "sec";
  readonly name: string;
  readonly key: string;
}

export function renderKeyPath({ generation, program, namespace, kind, name, key }: KeyPath): string {
  return `/opensvc/v${generation}/${program}/${namespace}/${kind}/${name}/${key}`;
}

/** The key that a path names; undefined for a path of a file. */
export function parseKeyPath(path: string): KeyPath | undefined {
  const [, generation, program, namespace, name, key] =
    /^\/opensvc\/v([23])\/(docker|podman)\/([a-z0-9][a-z0-9.-]*)\/sec\/([a-z0-9][a-z0-9.-]*)\/([a-z][a-z.]*)$/.exec(
      path,
    ) ?? [];
  if (namespace === undefined || name === undefined || key === undefined) return undefined;
  return {
    generation: generation === "2" ? 2 : 3,
    program: program === "podman" ? "podman" : "docker",
    namespace,
    kind: "sec",
    name,
    key,
  };
}
