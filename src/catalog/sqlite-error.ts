import { SQLiteError } from "bun:sqlite";
import { AppError } from "#core";

/** True when a row would break a UNIQUE or PRIMARY KEY rule. */
export function isUniqueViolation(cause: unknown): boolean {
  return (
    cause instanceof SQLiteError &&
    (cause.code === "SQLITE_CONSTRAINT_UNIQUE" || cause.code === "SQLITE_CONSTRAINT_PRIMARYKEY")
  );
}

/** True when another process holds the database. */
export function isBusy(cause: unknown): boolean {
  return cause instanceof SQLiteError && (cause.code?.startsWith("SQLITE_BUSY") ?? false);
}

/** What a fault of the database is to the rest of the house; any other error is given back as it is. */
export function fromSqlite(cause: unknown): unknown {
  if (!(cause instanceof SQLiteError)) return cause;
  const code = cause.code ?? "";
  // A full disk shows as FULL for the database and as IOERR_SHMSIZE for the file of its readers' marks.
  if (code === "SQLITE_FULL" || code === "SQLITE_IOERR_SHMSIZE")
    return new AppError("STORAGE_FULL", "the database has no room left on its disk", {
      hint: "free some space under the data folder; the service goes on by itself",
      cause,
    });
  if (isBusy(cause))
    return new AppError("BUSY", "another process held the database for too long", {
      hint: "try again shortly",
      cause,
    });
  if (code === "SQLITE_NOTADB" || code.startsWith("SQLITE_CORRUPT"))
    return new AppError("STORAGE_FAILED", "the database is damaged, or is not one", {
      hint: "stop the service and restore wharf.db from a backup",
      cause,
    });
  return new AppError("STORAGE_FAILED", `the database failed: ${cause.message}`, { cause });
}
