import { AppError, type ErrorCode } from "#core";
import type { KubeStatus } from "./objects.ts";

/**
 * What the API's refusal means. `details.status` has the HTTP status; `details.stale` says that the object changed since it was read,
 * `details.expired` that a list or a watch is to be begun again. Values are never repeated: a Status may quote what was sent.
 */
export function toApiError(status: number, body: KubeStatus, what: string): AppError {
  const fail = (code: ErrorCode, why: string, extra: { hint?: string; details?: object } = {}): AppError =>
    new AppError(code, `${what}: ${why}`, {
      ...(extra.hint === undefined ? {} : { hint: extra.hint }),
      details: { status, ...(body.reason === undefined ? {} : { reason: body.reason }), ...extra.details },
    });
  const causes = body.details?.causes ?? [];
  switch (status) {
    case 401:
      return fail("UNAUTHORIZED", "the API server does not know this login", {
        hint: "see whether `kubectl get namespaces` works with this context; its token or certificate may have ended",
      });
    case 403:
      return isTerminating(causes)
        ? fail("NOT_FOUND", "the namespace is being deleted")
        : fail("DENIED", shown(body.message ?? "the API server does not allow it"), {
            hint: "`wharf kube rbac` prints the roles that the deliveries need",
          });
    case 404:
      return fail(
        "NOT_FOUND",
        body.details?.kind === "namespaces" ? "there is no such namespace" : "it is not there",
      );
    case 409:
      return conflict();
    case 410:
      return fail("CONFLICT", "what was asked for is too old", { details: { expired: true } });
    case 413:
      return tooLarge();
    case 422:
      return unprocessable();
    case 429:
    case 503:
      return fail("BUSY", "the API server has too much to do", { hint: "try again later" });
    default:
      return fail("KUBERNETES_FAILED", `the API server answered with status ${status}${reasonOf(body)}`);
  }

  function conflict(): AppError {
    const managers = [
      ...new Set(
        causes
          .filter(({ reason }) => reason === "FieldManagerConflict")
          .map(({ message }) => /conflict with "([^"]{1,80})"/.exec(message ?? "")?.[1] ?? "another manager"),
      ),
    ];
    if (managers.length > 0)
      return fail("CONFLICT", `${managers.join(" and ")} owns fields of it, which wharf does not take away`, {
        hint: "give the delivery another name:, or take it over: take-over: true",
        details: { managers },
      });
    if (body.reason === "AlreadyExists") return fail("ALREADY_EXISTS", "it is there already");
    return fail("CONFLICT", "it was changed meanwhile", { details: { stale: true } });
  }

  function unprocessable(): AppError {
    const fields = [...new Set(causes.map(({ field }) => field ?? ""))].filter((field) => field !== "");
    if (causes.some(({ field, reason }) => field === "data" && reason === "FieldValueTooLong"))
      return tooLarge();
    if (causes.some(({ field }) => field === "type"))
      return fail("INVALID_INPUT", "it is there with another type, which cannot be changed", {
        hint: "give the delivery another name:, or delete that Secret",
      });
    if (causes.some(({ field, reason }) => field === "data" && reason === "FieldValueForbidden"))
      return fail("INVALID_INPUT", "it is immutable", { hint: "delete that Secret, and apply again" });
    return fail(
      "INVALID_INPUT",
      `the API server does not take it${fields.length === 0 ? reasonOf(body) : ` (${shown(fields.join(", "))})`}`,
    );
  }

  function tooLarge(): AppError {
    return fail("TOO_LARGE", "it is larger than the API server takes (1 MiB)", {
      hint: "deliver the logins in several Secrets",
    });
  }
}

/** Is a watch or a list to be begun again from now. */
export function isExpired(error: unknown): boolean {
  return error instanceof AppError && error.details?.["expired"] === true;
}

function isTerminating(causes: readonly { readonly reason?: string }[]): boolean {
  return causes.some(({ reason }) => reason === "NamespaceTerminating");
}

function reasonOf(body: KubeStatus): string {
  return body.reason === undefined || !/^[A-Za-z]{1,40}$/.test(body.reason) ? "" : ` (${body.reason})`;
}

function shown(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]+/gu, " ").slice(0, 400);
}
