import type { CheckReport, LoginStatus } from "#delivery";
import { isLoginOff, isTargetGood } from "#delivery";
import { createPaint } from "./paint.ts";
import { plainText } from "./plain-text.ts";
import { errorDocument, planDocument } from "./render-plan.ts";

/** What a check says of logins and rotations, for people. */
export function renderLoginStatuses(report: CheckReport, color: boolean): string {
  const paint = createPaint(color);
  const rotations = [...report.rotations].map(
    ([name, startedAt]) =>
      `${paint.yellow("warning")} login ${plainText(name)}: a rotation of ${startedAt.slice(0, 10)} is not done: wharf rotate ${plainText(name)} --continue\n`,
  );
  const there = report.fromTargets.map((one) => {
    const name = plainText(`${whereOf(one)}: login ${one.login}`);
    if (one.error !== undefined) {
      const hint = one.error.hint === undefined ? "" : `\n  ${paint.dim(plainText(one.error.hint))}`;
      return `${paint.red("failed")} from ${name}: ${plainText(one.error.message)}${hint}\n`;
    }
    if (one.proof === undefined)
      return `${paint.dim("not asked")} from ${name}: ${plainText(one.skipped ?? "")}\n`;
    return `${paint.green("good")} from ${name}: ${plainText(one.proof.detail)}\n`;
  });
  return [...report.logins.map((status) => loginLine(status, color)), ...there, ...rotations].join("");
}

/** A check in one line: what cron mails and monitoring shows. */
export function renderCheckLine(report: CheckReport): string {
  const { targets } = report.plan;
  const off = targets.filter((target) => !isTargetGood(target));
  const wrong = [
    ...(off.length === 0
      ? []
      : [`${off.length} of ${targets.length} targets (${someOf(off.map(({ place }) => place))})`]),
    ...report.logins.flatMap((status) => {
      const words = loginWords(status);
      return words === undefined ? [] : [`login ${status.login.name} ${words}`];
    }),
    ...report.fromTargets
      .filter(({ error }) => error !== undefined)
      .map((one) => `login ${one.login} failed from ${whereOf(one)}`),
    ...[...report.rotations.keys()].map((name) => `rotation of ${name} not done`),
  ];
  const counts = `${targets.length} targets, ${report.logins.length} logins asked`;
  const state = report.isGood ? "good" : "off";
  return plainText(
    wrong.length === 0 ? `wharf: ${state}: ${counts}` : `wharf: ${state}: ${wrong.join("; ")}`,
  );
}

export function checkDocument(configPath: string, report: CheckReport): unknown {
  return {
    config: configPath,
    good: report.isGood,
    targets: planDocument(report.plan),
    logins: report.logins.map((status) => ({
      login: status.login.name,
      expiry: status.expiry,
      expires: status.expires?.toISOString() ?? null,
      proof: status.proof?.outcome ?? null,
      rateLimit: status.rateLimit ?? null,
      error: errorDocument(status.error),
    })),
    fromTargets: report.fromTargets.map((one) => ({
      consumer: one.consumer,
      place: one.place,
      user: one.user ?? null,
      namespace: one.namespace ?? null,
      login: one.login,
      proof: one.proof?.outcome ?? null,
      skipped: one.skipped ?? null,
      error: errorDocument(one.error),
    })),
    rotations: Object.fromEntries(report.rotations),
  };
}

function loginLine(status: LoginStatus, color: boolean): string {
  const paint = createPaint(color);
  const name = `login ${plainText(status.login.name)}`;
  if (status.error !== undefined) {
    const hint = status.error.hint === undefined ? "" : `\n  ${paint.dim(plainText(status.error.hint))}`;
    return `${paint.red("failed")} ${name}: ${plainText(status.error.message)}${hint}\n`;
  }
  const limit = limitWords(status);
  const limitLine = limit === undefined ? "" : `${limitPaint(status)} ${name}: ${limit}\n`;
  const day = dayOf(status);
  if (status.expiry === "expired") return `${paint.red("expired")} ${name}: on ${day}\n${limitLine}`;
  if (status.expiry === "expires soon")
    return `${paint.yellow("warning")} ${name}: expires on ${day}\n${limitLine}`;
  return `${paint.green("good")} ${name}: ${plainText(status.proof?.detail ?? "")}\n${limitLine}`;

  function limitPaint({ rateLimit }: LoginStatus): string {
    if (rateLimit?.remaining === 0) return paint.red("used up");
    return rateLimit?.countedBy === "address" || isLow(status)
      ? paint.yellow("warning")
      : paint.green("good");
  }
}

function limitWords({ rateLimit }: LoginStatus): string | undefined {
  if (rateLimit === undefined) return undefined;
  const { limit, remaining, windowSeconds, countedBy } = rateLimit;
  const window = windowSeconds === undefined ? "" : ` in ${Math.round(windowSeconds / 360) / 10} hours`;
  const by =
    countedBy === "address" ? "; counted by this machine's address, so the login is not what counts" : "";
  return `${remaining} of ${limit} pulls left${window}${by}`;
}

/** A tenth or less is left. */
function isLow({ rateLimit }: LoginStatus): boolean {
  return rateLimit !== undefined && rateLimit.remaining * 10 <= rateLimit.limit;
}

/** What to say of a login in the one line; undefined where nothing. */
function loginWords(status: LoginStatus): string | undefined {
  if (status.error !== undefined) return `failed (${status.error.code})`;
  if (status.expiry === "expired") return `expired on ${dayOf(status)}`;
  if (status.rateLimit?.remaining === 0) return "has no pulls left";
  if (status.expiry === "expires soon") return `expires on ${dayOf(status)}`;
  if (isLow(status)) return `has ${status.rateLimit?.remaining} pulls left`;
  return isLoginOff(status) ? "is off" : undefined;
}

function whereOf({ consumer, place, user, namespace }: CheckReport["fromTargets"][number]): string {
  return `${consumer} at ${place}${user === undefined ? "" : ` for ${user}`}${namespace === undefined ? "" : ` in ${namespace}`}`;
}

function dayOf({ expires }: LoginStatus): string {
  return expires?.toISOString().slice(0, 10) ?? "";
}

function someOf(places: readonly string[]): string {
  const distinct = [...new Set(places)];
  return distinct.length > 3 ? `${distinct.slice(0, 3).join(", ")}, …` : distinct.join(", ");
}
