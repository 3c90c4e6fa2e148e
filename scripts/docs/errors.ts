import { errorTable } from "#core";
import { code, GENERATED, renderMarkdownTable } from "./markdown.ts";

/** docs/reference/errors.md, from the error table. */
export function renderErrors(): string {
  const rows = Object.entries(errorTable).map(([name, row]) => [
    code(name),
    row.summary,
    String(row.exit),
    String(row.status),
    code(row.oci),
  ]);
  return `${[
    GENERATED,
    "# Errors",
    'Every error has one code. At the terminal it is `error: <what we were doing>: <why>` and `hint: <what to do next>` on standard error, and with `--json` the one document `{"error": {"code", "message", "hint", "details"}}` on standard output. The management API answers `application/problem+json` with the same `code`; the registry answers the error body of the OCI distribution specification with the code of the last column.',
    renderMarkdownTable(["code", "what it means", "exit", "HTTP", "OCI"], rows),
  ].join("\n\n")}\n`;
}
