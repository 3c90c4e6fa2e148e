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

/** An error as its problem document. What lies behind an INTERNAL one is for the log, not for the caller. */
export function toProblem(error: AppError): Problem {
  const { status, summary } = error.row;
  const isInternal = error.code === "INTERNAL";
  return {
    type: "about:blank",
    title: summary,
    status,
    code: error.code,
    detail: isInternal ? summary : error.message,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error.details === undefined || isInternal ? {} : { details: error.details }),
  };
}
