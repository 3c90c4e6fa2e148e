import { type ErrorCode, type ErrorRow, errorTable } from "./error-table.ts";

/** What an error says besides its message. */
export interface ErrorExtra {
  /** What to do next: one sentence, lower case, no full stop. Never a secret. */
  readonly hint?: string;
  /** Plain data for `--json` and problem+json. Never a secret. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/**
 * The one error of the house. `message` says why, lower case, without the code:
 * the terminal puts "error: <what we were doing>:" before it. Status and exit codes
 * are only in the table; the edges translate.
 */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(code: ErrorCode, message: string, extra: ErrorExtra = {}) {
    super(message, extra.cause === undefined ? undefined : { cause: extra.cause });
    this.name = "AppError";
    this.code = code;
    this.hint = extra.hint;
    this.details = extra.details;
  }

  /** The table's row for this error. */
  get row(): ErrorRow {
    return errorTable[this.code];
  }
}

/** Gives `cause` back if it is an AppError already, else an INTERNAL one around it. */
export function toAppError(cause: unknown): AppError {
  if (cause instanceof AppError) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  return new AppError("INTERNAL", message, { cause });
}

/** True for an AppError, of that code where one is given. */
export function isAppError(value: unknown, code?: ErrorCode): value is AppError {
  return value instanceof AppError && (code === undefined || value.code === code);
}
