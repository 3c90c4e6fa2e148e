/** Names under which other programs start wharf. A file of such a name, at a place, is the executable itself. */
export const programNames = ["docker-credential-wharf", "wharf-kubelet-provider"] as const;

/** Is it the path of a program of wharf's: its content is then spoken of by its digest (`renderProgramMark`), never by its bytes. */
export function isProgramPath(path: string): boolean {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return programNames.some((one) => one === name);
}

/** What stands for an executable's bytes where files are compared. `sha256` in hex. */
export function renderProgramMark(sha256: string): string {
  return `sha256:${sha256}\n`;
}

/** The digest in a mark; undefined where it is none. */
export function parseProgramMark(text: string): string | undefined {
  return /^sha256:([0-9a-f]{64})\n$/.exec(text)?.[1];
}
