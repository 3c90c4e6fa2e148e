import type { Part } from "./contract.ts";

/** The line of the file at which an offset of a part stands; the part's first line where there is no offset. */
export function lineAt(part: Pick<Part, "text" | "line">, offset: number | undefined): number {
  if (offset === undefined) return part.line;
  let line = part.line;
  for (let at = part.text.indexOf("\n"); at >= 0 && at < offset; at = part.text.indexOf("\n", at + 1)) line++;
  return line;
}
