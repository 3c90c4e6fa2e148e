/** A code block, or the whole of a text without any. */
export interface Block {
  readonly text: string;
  /** Line of the document that it begins at, from 1. */
  readonly line: number;
}

/**
 * The code blocks of a page: fenced ones (Markdown), and indented ones (Markdown by four columns, reStructuredText below `::`), without
 * their indentation. Fences are looked at first: inside one nothing else is a block. An empty list where the text has none.
 */
export function splitDocument(text: string): readonly Block[] {
  const lines = text.split("\n");
  const blocks: Block[] = [];
  let index = 0;
  while (index < lines.length) {
    const line = lines[index] ?? "";
    const fence = /^\s*(```+|~~~+)(.*)$/.exec(line);
    if (fence !== null) {
      const end = endOfFence(lines, index, fence[1] ?? "```");
      // "```docker login host```" on one line is a block of its own words.
      const inline = fence[2]?.endsWith("```") === true ? fence[2].slice(0, -3) : undefined;
      if (inline !== undefined) blocks.push({ text: inline, line: index + 1 });
      else blocks.push({ text: dedent(lines.slice(index + 1, end)), line: index + 2 });
      index = inline === undefined ? end + 1 : index + 1;
      continue;
    }
    const end = isBlockStart(lines, index) ? endOfIndented(lines, index) : index;
    if (end > index) blocks.push({ text: dedent(lines.slice(index, end)), line: index + 1 });
    index = Math.max(end, index + 1);
  }
  return blocks;
}

function endOfFence(lines: readonly string[], start: number, fence: string): number {
  for (let index = start + 1; index < lines.length; index++)
    if ((lines[index] ?? "").trim().startsWith(fence)) return index;
  return lines.length;
}

/** An indented line behind a blank one: by four columns or a tab, or by any below a line that ends in `::`. */
function isBlockStart(lines: readonly string[], index: number): boolean {
  const line = lines[index] ?? "";
  if (!/^(?: {2,}|\t)\S/.test(line)) return false;
  let before = index - 1;
  while (before >= 0 && (lines[before] ?? "").trim() === "") before--;
  if (before === index - 1) return false;
  return /^(?: {4}|\t)/.test(line) || /::\s*$/.test(lines[before] ?? "");
}

function endOfIndented(lines: readonly string[], start: number): number {
  let end = start;
  for (let index = start; index < lines.length; index++) {
    const line = lines[index] ?? "";
    if (/^(?: {2,}|\t)\S/.test(line)) end = index + 1;
    else if (line.trim() !== "") break;
  }
  return end;
}

function dedent(lines: readonly string[]): string {
  const indents = lines
    .filter((line) => line.trim() !== "")
    .map((line) => /^[ \t]*/.exec(line)?.[0].length ?? 0);
  const least = indents.length === 0 ? 0 : Math.min(...indents);
  return lines.map((line) => line.slice(least)).join("\n");
}
