/** Values that every room shares: errors with their table, secrets, names, the context. No I/O. */
export { AppError, type ErrorExtra, isAppError, toAppError } from "./app-error.ts";
export { forEachAtOnce, forEachByGroup } from "./at-once.ts";
export { type Context, type LogFields, type Logger, type LogLevel, silentLogger } from "./context.ts";
export { type ErrorCode, type ErrorRow, errorTable, type OciErrorCode } from "./error-table.ts";
export { type KeyPath, parseKeyPath, renderKeyPath } from "./key-path.ts";
export { type NameKind, nearestName, parseName } from "./names.ts";
export { type ObjectKind, type ObjectPath, parseObjectPath, renderObjectPath } from "./object-path.ts";
export { isOwnFault, type Problem, toProblem } from "./problem.ts";
export { isProgramPath, parseProgramMark, programNames, renderProgramMark } from "./program-path.ts";
export { quoteShell } from "./quote-shell.ts";
export { Secret } from "./secret.ts";
export { findToken } from "./token-shapes.ts";
export { version } from "./version.ts";
