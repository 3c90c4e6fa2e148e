import type { Examination, FileReport } from "#delivery";
import { createPaint, type Paint } from "./paint.ts";
import { plainText } from "./plain-text.ts";
import { errorDocument } from "./render-plan.ts";

/** Files with their mistakes, for people; files without any are not named. Empty where there is none. */
export function renderExamination(found: Examination, color: boolean): string {
  const paint = createPaint(color);
  const lines = found.files
    .filter(({ faults }) => faults.length > 0)
    .flatMap((file) => fileLines(file, paint));
  for (const { place, path, error } of found.passedOver) {
    lines.push(
      `${paint.yellow("passed over")} ${plainText(nameOf(place, path))}: ${plainText(error.message)}`,
    );
    if (error.hint !== undefined) lines.push(`  ${paint.dim(plainText(error.hint))}`);
  }
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

/** What --fix would change in a file: in words, then line by line, secrets hidden. */
export function renderMending(file: FileReport, color: boolean): string {
  const paint = createPaint(color);
  if (file.mending === undefined) return "";
  const lines = [
    paint.bold(plainText(nameOf(file.place, file.path))),
    ...file.mending.says.map((says) => `  ${plainText(says)}`),
    ...file.mending.changes.map(({ sign, line, text }) => {
      const shown = `  ${sign} ${String(line).padStart(3)}  ${plainText(text)}`;
      return sign === "-" ? paint.red(shown) : paint.green(shown);
    }),
  ];
  return `${lines.join("\n")}\n`;
}

/** The examination as the one document of --json. `written`: paths that --fix wrote. */
export function examinationDocument(
  found: Examination,
  written: readonly FileReport[],
): Record<string, unknown> {
  return {
    files: found.files.map((file) => ({
      place: file.place,
      path: file.path,
      mended: written.includes(file),
      faults: file.faults.map(({ code, line, message, right, command, mend }) => ({
        code,
        line: line ?? null,
        message,
        right,
        command: command ?? null,
        mends: mend !== undefined || code === "WD018",
      })),
    })),
    passedOver: found.passedOver.map(({ place, path, error }) => ({
      place,
      path,
      error: errorDocument(error),
    })),
  };
}

function fileLines(file: FileReport, paint: Paint): readonly string[] {
  return [
    paint.bold(plainText(nameOf(file.place, file.path))),
    ...file.faults.flatMap(({ code, line, message, right, command }) => [
      `  ${paint.red(code)}${line === undefined ? "" : ` line ${line}`}: ${plainText(message)}`,
      `    right: ${plainText(right)}`,
      ...(command === undefined ? [] : [`    instead: ${paint.bold(plainText(command))}`]),
    ]),
  ];
}

function nameOf(place: string, path: string): string {
  return place === "local" ? path : `${place} ${path}`.trim();
}
