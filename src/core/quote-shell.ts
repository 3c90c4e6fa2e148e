/**
 * A word as every POSIX shell reads it back, byte for byte; one that needs no quotes gets none. A single quote stands in double ones: the shell inside
 * Apptainer (mvdan.cc/sh up to 3.14) keeps the backslash of the other form, `'\''`, when a variable is set.
 */
export function quoteShell(word: string): string {
  return /^[\w/.:@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
}
