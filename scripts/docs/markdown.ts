/** Said at the head of every generated page. */
export const GENERATED = "<!-- Made from the code by `npm run docs`. Do not edit. -->";

/** A Markdown table. Line breaks and bars in cells are made harmless. */
export function renderMarkdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

export function code(text: string): string {
  return `\`${text}\``;
}
