import { AppError } from "#core";

/** The `code` of a failed system call (`ENOENT`, …); undefined for anything else. */
export function systemErrorCode(cause: unknown): string | undefined {
  if (typeof cause !== "object" || cause === null || !("code" in cause)) return undefined;
  return typeof cause.code === "string" ? cause.code : undefined;
}

/**
 * A failed file operation as an AppError: STORAGE_FULL, PERMISSION_DENIED or STORAGE_FAILED. `doing` is what was tried, lower case
 * ("writing /data/key"). An AppError comes back as it is.
 */
export function toStorageError(cause: unknown, doing: string): AppError {
  if (cause instanceof AppError) return cause;
  const code = systemErrorCode(cause);
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new AppError("STORAGE_FULL", `${doing}: no room left on the disk`, {
      hint: "make room on the disk or raise the quota, then try again",
      cause,
    });
  }
  if (code === "EACCES" || code === "EPERM" || code === "EROFS") {
    const why = code === "EROFS" ? "the file system is read-only" : "permission denied";
    return new AppError("PERMISSION_DENIED", `${doing}: ${why}`, { cause });
  }
  return new AppError("STORAGE_FAILED", `${doing}: ${code ?? "failed"}`, { cause });
}
