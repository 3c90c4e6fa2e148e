import { type AppError, isProgramPath } from "#core";
import type { Plan, PlannedChange, TargetOutcome, TargetPlan } from "#delivery";
import { createPaint, type Paint } from "./paint.ts";
import { plainText } from "./plain-text.ts";

/** A plan for people: each target, its files, what changes in them and why; refusals and warnings. */
export function renderPlan(plan: Plan, color: boolean, options: { readonly all?: boolean } = {}): string {
  const paint = createPaint(color);
  const lines: string[] = [];
  for (const target of plan.targets) {
    const body = targetLines(target, paint, options.all === true);
    if (body.length === 0) continue;
    lines.push(paint.bold(titleOf(target)), ...body);
  }
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

/** What was done, for people. */
export function renderOutcomes(outcomes: readonly TargetOutcome[], color: boolean): string {
  const paint = createPaint(color);
  const lines: string[] = [];
  for (const outcome of outcomes) {
    const body = outcome.written.map(
      ({ path, action }) => `  ${paint.green(past(action))} ${plainText(path)}`,
    );
    if (outcome.takesEffect !== undefined) body.push(`  ${paint.yellow(outcome.takesEffect)}`);
    if (outcome.error !== undefined) body.push(...errorLines(outcome.error, paint));
    if (body.length > 0) lines.push(paint.bold(titleOf(outcome)), ...body);
  }
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

/** A plan as plain data, for --json. */
export function planDocument(plan: Plan): unknown {
  return plan.targets.map((target) => ({
    consumer: target.consumer,
    place: target.place,
    user: target.user ?? null,
    files: target.files.map(({ path, action, changes }) => ({
      path,
      action,
      changes: changes.map((change) => ({
        key: change.key,
        login: change.login ?? null,
        action: change.action,
        cause: change.cause ?? null,
        differs: change.differs ?? [],
      })),
    })),
    refusals: target.refusals,
    warnings: target.warnings,
    shadowed: target.shadowed,
    error: errorDocument(target.error),
  }));
}

export function outcomesDocument(outcomes: readonly TargetOutcome[]): unknown {
  return outcomes.map((outcome) => ({
    consumer: outcome.consumer,
    place: outcome.place,
    user: outcome.user ?? null,
    written: outcome.written,
    refusals: outcome.refusals,
    warnings: outcome.warnings,
    error: errorDocument(outcome.error),
  }));
}

export function errorDocument(error: AppError | undefined): unknown {
  return error === undefined ? null : { code: error.code, message: error.message, hint: error.hint ?? null };
}

function titleOf(target: Pick<TargetPlan, "consumer" | "place" | "user">): string {
  return plainText(
    `${target.consumer} at ${target.place}${target.user === undefined ? "" : ` for ${target.user}`}`,
  );
}

function targetLines(target: TargetPlan, paint: Paint, all: boolean): readonly string[] {
  const lines: string[] = [];
  for (const file of target.files) {
    const changes = file.changes.filter((change) => all || change.action !== "keep");
    if (changes.length === 0 && file.action === "none") continue;
    lines.push(
      `  ${plainText(file.path)}${file.action === "create" ? paint.dim(" (new)") : ""}${file.action === "remove" ? paint.dim(" (goes: nothing else is in it)") : ""}`,
    );
    for (const change of changes) lines.push(`    ${changeLine(file.path, change, paint)}`);
  }
  for (const refusal of target.refusals) {
    lines.push(`  ${paint.red("refused")} ${plainText(refusal.login)}: ${plainText(refusal.reason)}`);
    if (refusal.hint !== undefined) lines.push(`    ${paint.dim(plainText(refusal.hint))}`);
  }
  for (const warning of [...target.warnings, ...target.shadowed]) {
    const about = warning.login === undefined ? "" : `${warning.login}: `;
    lines.push(
      `  ${paint.yellow(warning.kind === "wider" ? "wider" : "warning")} ${plainText(about + warning.message)}`,
    );
    if (warning.hint !== undefined) lines.push(`    ${paint.dim(plainText(warning.hint))}`);
  }
  if (target.error !== undefined) lines.push(...errorLines(target.error, paint));
  return lines;
}

function errorLines(error: AppError, paint: Paint): readonly string[] {
  const lines = [`  ${paint.red("failed")} ${plainText(error.message)}`];
  if (error.hint !== undefined) lines.push(`    ${paint.dim(plainText(error.hint))}`);
  return lines;
}

function changeLine(path: string, change: PlannedChange, paint: Paint): string {
  const whole = isProgramPath(path) ? "the executable wharf" : "the whole file";
  const what = change.key === "(file)" ? whole : plainText(change.key);
  const from =
    change.login === undefined ? "" : ` ${change.action === "remove" ? "of" : "from"} ${change.login}`;
  const differs =
    change.differs === undefined || change.differs.length === 0 ? "" : `: ${change.differs.join(", ")}`;
  const why = change.cause === undefined ? "" : paint.dim(` (${change.cause}${differs})`);
  switch (change.action) {
    case "add":
      return `${paint.green("+")} ${what}${from}${why}`;
    case "update":
      return `${paint.yellow("~")} ${what}${from}${why}`;
    case "remove":
      return `${paint.red("-")} ${what}${from}${why}`;
    case "keep":
      return `= ${what}${from}`;
  }
}

function past(action: string): string {
  return action === "create" ? "created" : action === "remove" ? "removed" : "changed";
}
