import { AppError, type LogFields, type Logger, type LogLevel, Secret } from "#core";
import type { Clock } from "./clock.ts";

const RANK: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/**
 * Names of fields that are never printed, whatever they hold: the net below the rule that secrets are `Secret` values and that
 * header values are not logged.
 */
const SECRET_NAME =
  /authorization|password|passphrase|secret|cookie|credential|api-?key|^token$|-token$|Token$/i;
const MAX_DEPTH = 4;
const MAX_TEXT = 2_000;

export interface LoggerOptions {
  /** Least level that is written. */
  readonly level: LogLevel;
  /** `json`: one object a line, for machines. `human`: for a terminal. */
  readonly format: "json" | "human";
  readonly clock: Clock;
  /** Takes whole lines, newline included. */
  write(line: string): void;
}

/**
 * A logger that writes lines: time, level, a constant message and fields. `Secret` values and fields with a secret's name print as
 * `[secret]`; an error as its code, message and causes' messages; control characters are escaped, so that no field can begin a line.
 */
export function createLogger(options: LoggerOptions): Logger {
  const least = RANK[options.level];
  const render = options.format === "json" ? renderJsonLine : renderHumanLine;
  const at =
    (level: LogLevel) =>
    (message: string, fields?: LogFields): void => {
      if (RANK[level] >= least) options.write(render(options.clock.now(), level, message, fields));
    };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

function renderJsonLine(now: number, level: LogLevel, message: string, fields: LogFields = {}): string {
  const time = new Date(now).toISOString();
  return `${JSON.stringify({ time, level, message, ...cleanFields(fields, 0) })}\n`;
}

function renderHumanLine(now: number, level: LogLevel, message: string, fields: LogFields = {}): string {
  const time = new Date(now).toISOString().slice(11, 23);
  let line = `${time} ${level.padEnd(5)} ${escapeControls(message)}`;
  for (const [name, value] of Object.entries(cleanFields(fields, 0))) {
    if (value === undefined) continue;
    const text = typeof value === "string" && /^[\w./:@+-]+$/.test(value) ? value : JSON.stringify(value);
    line += ` ${name}=${escapeControls(text ?? "null")}`;
  }
  return `${line}\n`;
}

function cleanFields(fields: LogFields, depth: number): Record<string, unknown> {
  const clean: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    clean[name] = SECRET_NAME.test(name) && value !== undefined ? "[secret]" : cleanValue(value, depth);
  }
  return clean;
}

function cleanValue(value: unknown, depth: number): unknown {
  if (typeof value === "string") return value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}…` : value;
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "function" || typeof value === "symbol") return undefined;
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Secret) return "[secret]";
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "invalid date" : value.toISOString();
  if (value instanceof Error) return cleanError(value, depth);
  // Header values are never logged; neither are bytes.
  if (value instanceof Headers || value instanceof Request || value instanceof Response) return "[http]";
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`;
  if (depth >= MAX_DEPTH) return "…";
  if (Array.isArray(value)) return value.slice(0, 100).map((entry) => cleanValue(entry, depth + 1));
  return cleanFields(Object.fromEntries(Object.entries(value)), depth + 1);
}

function cleanError(error: Error, depth: number): unknown {
  const cause =
    error.cause === undefined || depth >= MAX_DEPTH ? undefined : cleanValue(error.cause, depth + 1);
  const code = error instanceof AppError ? error.code : error.name;
  // The place of a fault of ours is worth its lines; a refusal's is not.
  const isFault = !(error instanceof AppError) || error.code === "INTERNAL";
  return {
    code,
    message: error.message.slice(0, MAX_TEXT),
    ...(cause === undefined ? {} : { cause }),
    ...(isFault && error.stack !== undefined ? { stack: error.stack.slice(0, MAX_TEXT) } : {}),
  };
}

function escapeControls(text: string): string {
  return text.replace(
    /[\p{Cc}\u2028\u2029]/gu,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
