import { quoteShell } from "#core";

const SHELL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** One of an image's variables; the value is undefined where there is no equals sign. */
export interface Variable {
  readonly name: string;
  readonly value: string | undefined;
}

export function parseVariable(pair: string): Variable {
  const equals = pair.indexOf("=");
  return equals === -1
    ? { name: pair, value: undefined }
    : { name: pair.slice(0, equals), value: pair.slice(equals + 1) };
}

/**
 * Lines of a script that export variables, each giving way to what is set already. Names that no shell can have are left out: one of them would
 * end the script for all.
 */
export function renderExports(variables: readonly Variable[]): readonly string[] {
  return variables.flatMap(({ name, value }) => {
    if (!SHELL_NAME.test(name)) return [];
    if (value === undefined) return [`export ${name}="\${${name}:-}"`];
    // Not assigned where it has a value: UID and its like are read-only in some shells, Apptainer's among them.
    return [`if [ -z "\${${name}:-}" ]; then ${name}=${quoteShell(value)}; fi`, `export ${name}`];
  });
}
