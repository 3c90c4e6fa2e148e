import { createPaint } from "./paint.ts";
import { plainText } from "./plain-text.ts";

/** A column: its heading and what stands in it for a row. `undefined` is shown as `-`. */
export interface Column<Row> {
  readonly head: string;
  cell(row: Row): string | undefined;
  /** Colour of a cell, given its text. */
  readonly style?: (row: Row) => "bold" | "dim" | "red" | "green" | "yellow" | undefined;
}

/**
 * Rows under headings, columns two spaces apart, as wide as their widest cell; nothing at all for no rows.
 * Ends with a line break. Cells are made harmless for a terminal (`plainText`).
 */
export function renderTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  color: boolean,
): string {
  if (rows.length === 0) return "";
  const paint = createPaint(color);
  const cells = rows.map((row) => columns.map((column) => plainText(column.cell(row) ?? "-")));
  const widths = columns.map((column, index) =>
    Math.max(Bun.stringWidth(column.head), ...cells.map((line) => Bun.stringWidth(line[index] ?? ""))),
  );
  const pad = (text: string, index: number): string =>
    index === columns.length - 1 ? text : text + " ".repeat((widths[index] ?? 0) - Bun.stringWidth(text) + 2);
  const head = columns.map((column, index) => paint.dim(pad(column.head, index))).join("");
  const lines = cells.map((line, rowIndex) =>
    line
      .map((text, index) => {
        const style = columns[index]?.style?.(rows[rowIndex] as Row);
        return style === undefined ? pad(text, index) : paint[style](pad(text, index));
      })
      .join(""),
  );
  return `${[head, ...lines].join("\n")}\n`;
}
