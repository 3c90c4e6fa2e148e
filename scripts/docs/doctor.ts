import { faultTable } from "#consumers/faults";
import { code, GENERATED, renderMarkdownTable } from "./markdown.ts";

/** docs/reference/doctor.md, from the table of faults. */
export function renderDoctor(): string {
  const rows = Object.entries(faultTable).map(([name, row]) => [
    code(name),
    row.title,
    row.happens,
    row.right,
    row.mends,
  ]);
  return `${[
    GENERATED,
    "# Known mistakes",
    "What `wharf doctor` finds in files, scripts and pages, and in clusters. A number is never given to another mistake. `--fix` mends a file where the right value is sure: it shows the change without secrets, asks, and replaces the file in one step. Command lines, pages and clusters are not edited: the finding says what to write, and the `wharf` command that does the job.",
    renderMarkdownTable(["number", "mistake", "what happens", "right", "`--fix`"], rows),
  ].join("\n\n")}\n`;
}
