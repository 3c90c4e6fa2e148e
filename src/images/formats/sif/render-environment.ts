import { quoteShell } from "#core";
import { parseVariable, renderExports } from "../shell-variables.ts";

/** The script that gives an image's variables to what runs in it. PATH is the image's; every other one gives way to what the user has set already. */
export function renderEnvironment(env: readonly string[]): string {
  const lines = env.map(parseVariable).flatMap((variable) => {
    const { name, value } = variable;
    return name === "PATH" && value !== undefined
      ? [`export PATH=${quoteShell(value)}`]
      : renderExports([variable]);
  });
  return `${["#!/bin/sh", "# The image's own variables.", ...lines].join("\n")}\n`;
}
