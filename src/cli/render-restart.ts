import type { RestartOutcome } from "#delivery";
import { createPaint } from "./paint.ts";
import { plainText } from "./plain-text.ts";
import { errorDocument } from "./render-plan.ts";

/** What became of one restart, for people. */
export function renderRestart(outcome: RestartOutcome, color: boolean): string {
  const paint = createPaint(color);
  const who = plainText(`${outcome.consumer} at ${outcome.place}`);
  const unit = outcome.unit === undefined ? "" : ` (${outcome.unit})`;
  switch (outcome.state) {
    case "restarted":
      return `${paint.green("restarted")} ${who}${unit}\n`;
    case "not running":
      return `${paint.dim("not running")} ${who}: it reads the file when it starts\n`;
    case "not tried":
      return `${paint.yellow("not restarted")} ${who}: one before it failed\n`;
    case "failed": {
      const hint = outcome.error?.hint;
      return `${paint.red("failed")} ${who}${unit}: ${plainText(outcome.error?.message ?? "")}\n${hint === undefined ? "" : `  ${paint.dim(plainText(hint))}\n`}`;
    }
  }
}

/** As plain data, for --json. */
export function restartsDocument(outcomes: readonly RestartOutcome[]): unknown {
  return outcomes.map(({ place, consumer, unit, state, error }) => ({
    place,
    consumer,
    unit: unit ?? null,
    state,
    error: errorDocument(error),
  }));
}
