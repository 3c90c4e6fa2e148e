/** The absolute path of a program on `path` (a PATH); undefined when it is not there. */
export function findProgram(name: string, path: string | undefined): string | undefined {
  return Bun.which(name, { PATH: path ?? "/usr/bin:/bin" }) ?? undefined;
}
