import { AppError, type Context } from "#core";
import type { Place } from "#places";

/** How long one look may take, and how many there are, a second apart, until a unit that was told to restart has to run. */
const ANSWER_SECONDS = 30;
const LOOKS = 180;
const LOOK_MS = 1000;
/** A program that does not like its configuration is gone soon after it said that it runs. */
const SETTLE_MS = 2000;

/** A unit as systemd tells of it. */
export interface UnitState {
  readonly isLoaded: boolean;
  /** `active`, `inactive`, `failed`, `activating`, … */
  readonly active: string;
  /** Another one for each start. */
  readonly invocation: string;
}

export type Pause = (ms: number, signal: AbortSignal) => Promise<void>;

/** Throws NOT_FOUND where there is no systemctl, PROGRAM_FAILED where it gives no answer. */
export async function readUnit(context: Context, place: Place, unit: string): Promise<UnitState> {
  const result = await systemctl(context, place, [
    "show",
    "--property=LoadState,ActiveState,InvocationID",
    unit,
  ]);
  const fields = new Map(
    result.split("\n").map((line) => {
      const equals = line.indexOf("=");
      return [line.slice(0, equals), line.slice(equals + 1).trim()] as const;
    }),
  );
  return {
    isLoaded: fields.get("LoadState") === "loaded",
    active: fields.get("ActiveState") ?? "",
    invocation: fields.get("InvocationID") ?? "",
  };
}

/**
 * Restarts a unit, and waits until a new start of it runs and goes on running. Throws PROGRAM_FAILED where it does not within three
 * minutes, what `readUnit` throws, and INTERRUPTED.
 */
export async function restartUnit(context: Context, place: Place, unit: string, pause: Pause): Promise<void> {
  const before = await readUnit(context, place, unit);
  // Not waited for by systemctl: a slow start would outlast the connection.
  await systemctl(context, place, ["restart", "--no-block", unit]);
  const started = await newStart(context, place, unit, { before, pause });
  await pause(SETTLE_MS, context.signal);
  const settled = await readUnit(context, place, unit);
  if (settled.active !== "active" || settled.invocation !== started.invocation)
    throw broken(place, unit, `it ended soon after its start (${settled.active})`);
}

async function newStart(
  context: Context,
  place: Place,
  unit: string,
  about: { readonly before: UnitState; readonly pause: Pause },
): Promise<UnitState> {
  for (let look = 1; ; look++) {
    const state = await readUnit(context, place, unit);
    const isNew = state.invocation !== about.before.invocation;
    if (isNew && state.active === "active") return state;
    if ((isNew && state.active === "failed") || look === LOOKS)
      throw broken(place, unit, `it is ${state.active}`);
    await about.pause(LOOK_MS, context.signal);
  }
}

async function systemctl(context: Context, place: Place, words: readonly string[]): Promise<string> {
  const result = await place.run?.(context, {
    argv: ["systemctl", "--no-ask-password", ...words],
    timeoutSeconds: ANSWER_SECONDS,
  });
  if (result === undefined)
    throw new AppError("NOT_FOUND", `${place.name}: there is no systemctl`, {
      hint: "restart the program there by hand",
    });
  if (result.exitCode !== 0)
    throw new AppError(
      "PROGRAM_FAILED",
      `${place.name}: systemctl ${words[0] ?? ""} failed: ${lastLine(result.stderr)}`,
      { hint: "it takes systemd and root there: sign in as root, or add sudo: true to the delivery" },
    );
  return new TextDecoder().decode(result.stdout);
}

function broken(place: Place, unit: string, why: string): AppError {
  return new AppError("PROGRAM_FAILED", `${place.name}: ${unit} did not come back: ${why}`, {
    hint: `see why there: journalctl -u ${unit}; nothing after it was restarted`,
  });
}

function lastLine(text: string): string {
  const line = text.trim().split("\n").at(-1)?.trim() ?? "";
  return line === "" ? "it said nothing" : line.slice(0, 300);
}
