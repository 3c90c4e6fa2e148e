import { AppError, toProblem } from "#core";

/** Headers of every answer that this room writes itself. No HSTS: it would bind every other port of the host as well. */
export const safeHeaders: Readonly<Record<string, string>> = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "content-security-policy":
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cache-control": "no-store",
};

/** An error as problem+json (RFC 9457) with our `code`. */
export function renderProblem(error: AppError, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(`${JSON.stringify(toProblem(error))}\n`, {
    status: error.row.status,
    headers: { ...safeHeaders, "content-type": "application/problem+json", ...headers },
  });
}

/** The answer for an address that nothing lives at. */
export function notFound(): Response {
  return renderProblem(
    new AppError("NOT_FOUND", "nothing lives at this address", {
      hint: "the registry is under /v2/, the management API under /api/v1/",
    }),
  );
}

/** The answer for a method that an address does not take. */
export function methodNotAllowed(allow: string): Response {
  return renderProblem(new AppError("METHOD_NOT_ALLOWED", `this address takes ${allow} only`), { allow });
}
