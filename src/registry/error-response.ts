import { type AppError, isAppError, isOwnFault, type Logger, toAppError } from "#core";

/** What the answer to a failed request says besides the error itself. */
export interface ErrorAnswer {
  /** WWW-Authenticate, for 401 alone. */
  readonly challenge: () => string;
  readonly log: Logger;
}

/** One error as the OCI distribution specification writes it. */
export function renderErrorBody(error: AppError): string {
  const isHidden = isOwnFault(error);
  const said = isHidden ? `${error.row.summary}; the registry's log says more` : error.message;
  const message = error.hint === undefined || isHidden ? said : `${said}; ${error.hint}`;
  const detail = {
    reason: error.code,
    ...(error.hint === undefined || isHidden ? {} : { hint: error.hint }),
  };
  return JSON.stringify({ errors: [{ code: error.row.oci, message, detail }] });
}

/** Translates whatever was thrown. Headers that belong to an answer travel in `details.headers`. */
export function toErrorResponse(cause: unknown, answer: ErrorAnswer): Response {
  const error = toAppError(cause);
  const { status } = error.row;
  if (status >= 500 && error.code !== "BUSY" && error.code !== "INTERRUPTED")
    answer.log.error("request failed", {
      code: error.code,
      why: error.message,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      ...(isAppError(cause) && error.cause === undefined ? {} : { cause: String(error.cause) }),
      ...(error.code === "INTERNAL" && error.cause instanceof Error ? { stack: error.cause.stack } : {}),
    });
  const headers = new Headers({
    "content-type": "application/json",
    "docker-distribution-api-version": "registry/2.0",
  });
  for (const [name, value] of Object.entries(headersOf(error))) headers.set(name, value);
  if (status === 401) headers.set("www-authenticate", answer.challenge());
  if (status === 429 || status === 503) headers.set("retry-after", String(retryAfterSeconds(error)));
  return new Response(renderErrorBody(error), { status, headers });
}

function headersOf(error: AppError): Record<string, string> {
  const headers = error.details?.["headers"];
  return typeof headers === "object" && headers !== null ? { ...headers } : {};
}

function retryAfterSeconds(error: AppError): number {
  const seconds = error.details?.["retryAfterSeconds"];
  return typeof seconds === "number" && seconds > 0 ? Math.ceil(seconds) : 2;
}
