import type { ImportOutcome, ImportPlan, LeftOut } from "#delivery";
import { createPaint } from "./paint.ts";
import { plainText } from "./plain-text.ts";
import { errorDocument } from "./render-plan.ts";
import { renderTable } from "./table.ts";

/** The logins that would be taken, as a table, and what is left out, with the reason. */
export function renderImportPlan(plan: ImportPlan, color: boolean): string {
  const paint = createPaint(color);
  const table = renderTable(
    [
      { head: "LOGIN", cell: ({ name }) => name },
      {
        head: "REGISTRY",
        cell: ({ registry, path }) => (path === undefined ? registry : `${registry}/${path}`),
      },
      { head: "USERNAME", cell: ({ username }) => username },
      { head: "", cell: ({ action }) => action },
      { head: "FROM", cell: ({ from }) => from.join(", ") },
    ],
    plan.logins,
    color,
  );
  const examples = plan.leftOut.filter(({ kind }) => kind === "example").length;
  const lines = plan.leftOut
    .filter(({ kind }) => kind !== "example")
    .flatMap(({ where, why, hint, kind }) => [
      `${kind === "there" ? "known" : paint.yellow("left out")} ${plainText(where)}: ${plainText(why)}`,
      ...(hint === undefined ? [] : [`  ${paint.dim(plainText(hint))}`]),
    ]);
  for (const { path, error } of plan.unread)
    lines.push(`${paint.red("not read")} ${plainText(path)}: ${plainText(error.message)}`);
  if (examples > 0) lines.push(`${examples} with a placeholder for the secret or the account passed over`);
  return table + (lines.length === 0 ? "" : `${lines.join("\n")}\n`);
}

/** What became of each login. */
export function renderOutcomes(outcomes: readonly ImportOutcome[], color: boolean): string {
  const paint = createPaint(color);
  return outcomes
    .map(({ login, proof, error }) => {
      const name = plainText(login.name);
      if (error === undefined)
        return `${paint.green(login.action === "new" ? "added" : "renewed")} login ${name} (${plainText(proof?.detail ?? "not proved")})\n`;
      const hint = error.hint === undefined ? "" : `  ${paint.dim(plainText(error.hint))}\n`;
      return `${paint.red("left out")} ${name}: ${plainText(error.message)}\n${hint}`;
    })
    .join("");
}

/** The one document of --json. */
export function importDocument(
  plan: ImportPlan,
  outcomes: readonly ImportOutcome[],
): Record<string, unknown> {
  return {
    config: plan.configPath,
    logins: plan.logins.map((login) => {
      const outcome = outcomes.find((one) => one.login === login);
      return {
        name: login.name,
        registry: login.registry,
        path: login.path ?? null,
        username: login.username,
        from: login.from,
        action: login.action,
        imported: outcome !== undefined && outcome.error === undefined,
        proof: outcome?.proof?.outcome ?? null,
        error: errorDocument(outcome?.error),
      };
    }),
    leftOut: plan.leftOut.map(({ where, why, kind, hint }: LeftOut) => ({
      where,
      why,
      kind,
      hint: hint ?? null,
    })),
    unread: plan.unread.map(({ path, error }) => ({ path, error: errorDocument(error) })),
  };
}
