import { quoteShell } from "#core";

const SHELL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/**
 * The script that gives an image's variables to what runs in it. PATH is the image's; every other one gives way to what the user has set already,
 * and a variable without a value is handed on. Names that no shell can have are left out: one of them would end the script for all (reference, 1.2).
 */
export function renderEnvironment(env: readonly string[]): string {
  const lines = env.flatMap((pair) => {
    const [name, value] = splitVariable(pair);
    if (!SHELL_NAME.test(name)) return [];
    if (value === undefined) return [`export ${name}="\${${name}:-}"`];
    if (name === "PATH") return [`export PATH=${quoteShell(value)}`];
    // Not assigned where it has a value: UID and its like are read-only in some shells, Apptainer's among them.
    return [`if [ -z "\${${name}:-}" ]; then ${name}=${quoteShell(value)}; fi`, `export ${name}`];
  });
  return `${["#!/bin/sh", "# The image's own variables.", ...lines].join("\n")}\n`;
}

/** `NAME=VALUE`; the value is undefined where there is no equals sign. */
export function splitVariable(pair: string): readonly [name: string, value: string | undefined] {
  const equals = pair.indexOf("=");
  return equals === -1 ? [pair, undefined] : [pair.slice(0, equals), pair.slice(equals + 1)];
}
