import type { AppError } from "#core";
import { createPaint } from "./paint.ts";
import { plainText } from "./plain-text.ts";

/** `error: <what we were doing>: <why>`, and `hint: <what to do next>` where there is one. */
export function renderError(error: AppError, doing: string, color: boolean): string {
  const paint = createPaint(color);
  const subject = doing === "" ? "" : `${doing}: `;
  const lines = [`${paint.red("error:")} ${subject}${plainText(error.message, "lines")}`];
  if (error.hint !== undefined) lines.push(`${paint.yellow("hint:")} ${plainText(error.hint, "lines")}`);
  if (error.code === "INTERNAL")
    lines.push(
      `${paint.yellow("hint:")} this is a fault in wharf; please report it, with what WHARF_LOG=debug shows`,
    );
  return `${lines.join("\n")}\n`;
}

/** The same as the one document that `--json` prints. */
export function renderErrorJson(error: AppError): string {
  const { code, message, hint, details } = error;
  return `${JSON.stringify({ error: { code, message, hint, details } })}\n`;
}
