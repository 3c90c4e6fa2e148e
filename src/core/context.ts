/** Levels: warn means that somebody should act; error that something was lost or refused that should not be. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** Data of a log line. Secrets are `Secret` values or are not here at all. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Structured log: a constant message, the data in fields. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** What travels through every call that does I/O: when to stop, and where to log. */
export interface Context {
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/** A logger that keeps nothing, for callers that have none. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };
