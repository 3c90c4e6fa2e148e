import type { AppError } from "./app-error.ts";

/** The body of an application/problem+json answer (RFC 9457), with our `code` and `hint`. */
export interface Problem {
  readonly type: "about:blank";
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly hint?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * True for a failure of the machine or of wharf itself: its message, hint and details may hold paths, rows and words of the database.
 * They are for the log; a caller over the network gets the code and its summary.
 */
export function isOwnFault(error: AppError): boolean {
  return error.code === "INTERNAL" || error.code === "STORAGE_FAILED" || error.code === "PERMISSION_DENIED";
}

/** An error as its problem document. */
export function toProblem(error: AppError): Problem {
  const { status, summary } = error.row;
  const isHidden = isOwnFault(error);
  return {
    type: "about:blank",
    title: summary,
    status,
    code: error.code,
    detail: isHidden ? summary : error.message,
    ...(error.hint === undefined || isHidden ? {} : { hint: error.hint }),
    ...(error.details === undefined || isHidden ? {} : { details: error.details }),
  };
}
