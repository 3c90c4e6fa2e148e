import { AppError, type ErrorCode } from "#core";
import type { FetchAnswer } from "#system";
import type { Credentials } from "./contract.ts";

/** What a registry says about its refusal, made fit to print. */
export interface RegistryReason {
  /** OCI code (`DENIED`, `MANIFEST_UNKNOWN`, …) where it gives one. */
  readonly reason?: string;
  readonly message?: string;
  /** Why the login is no good, where a registry of ours says it (`detail.reason`): a code of the error table. */
  readonly loginFault?: LoginFault;
}

/** What a registry of ours tells whoever showed the right secret. */
export type LoginFault = "ACCOUNT_DISABLED" | "CREDENTIAL_EXPIRED" | "CREDENTIAL_REVOKED";

const LOGIN_FAULT_HINTS: Readonly<Record<LoginFault, string>> = {
  ACCOUNT_DISABLED:
    "the secret is right and need not be replaced: enable the robot or user again at the registry",
  CREDENTIAL_EXPIRED: "make a new secret: `wharf rotate`",
  CREDENTIAL_REVOKED: "make a new secret: `wharf rotate`",
};

const MAX_BODY_BYTES = 65_536;
const MAX_MESSAGE_LENGTH = 300;

const CODES: Readonly<Record<string, ErrorCode>> = {
  DIGEST_INVALID: "DIGEST_INVALID",
  MANIFEST_INVALID: "MANIFEST_INVALID",
  MANIFEST_BLOB_UNKNOWN: "MANIFEST_BLOB_UNKNOWN",
  NAME_INVALID: "NAME_INVALID",
  SIZE_INVALID: "SIZE_INVALID",
  BLOB_UPLOAD_INVALID: "UPLOAD_INVALID",
  BLOB_UPLOAD_UNKNOWN: "UPLOAD_UNKNOWN",
};

/** Reads the error body, whatever its form; nothing where there is none. Never throws for what it holds. */
export async function readReason(
  answer: FetchAnswer,
  credentials: Credentials | undefined,
): Promise<RegistryReason> {
  let bytes: Uint8Array;
  try {
    bytes = await answer.readBytes(MAX_BODY_BYTES);
  } catch {
    return {}; // The status is the answer; a body that is too long or cut off explains nothing.
  }
  const { code, message, detail } = pick(new TextDecoder().decode(bytes));
  const isDetailed = typeof detail === "object" && detail !== null && "reason" in detail;
  const loginFault = loginFaultOf(isDetailed ? detail.reason : undefined);
  const reason = typeof code === "string" && /^[A-Z][A-Z0-9_]{0,63}$/.test(code) ? code : undefined;
  const text = typeof message === "string" ? printable(redact(message, credentials)) : "";
  return {
    ...(reason === undefined ? {} : { reason }),
    ...(text === "" ? {} : { message: text }),
    ...(loginFault === undefined ? {} : { loginFault }),
  };
}

/** The value as a fault of a login; undefined for anything else. */
export function loginFaultOf(value: unknown): LoginFault | undefined {
  return typeof value === "string" && Object.hasOwn(LOGIN_FAULT_HINTS, value)
    ? (value as LoginFault)
    : undefined;
}

/** A refusal as an AppError. `doing` completes "REGISTRY answered 403 to …". Reads the body. */
export async function refusal(
  answer: FetchAnswer,
  about: {
    readonly registry: string;
    readonly doing: string;
    readonly credentials: Credentials | undefined;
    /** The token endpoint took the login: a 401 then means that it may not do this (Harbor says 401 for 403). */
    readonly isLoginTaken?: boolean;
  },
): Promise<AppError> {
  const { status } = answer;
  const { reason, message, loginFault } = await readReason(answer, about.credentials);
  const isDenied = status === 401 && about.isLoginTaken === true;
  const code = isDenied ? "DENIED" : codeOf(status, reason, about.credentials !== undefined);
  const hint =
    code === "LOGIN_REFUSED" && loginFault !== undefined ? LOGIN_FAULT_HINTS[loginFault] : hintOf(code);
  const said = message ?? reason;
  return new AppError(
    code,
    `${about.registry} answered ${status} to ${about.doing}${said === undefined ? "" : `: ${said}`}`,
    {
      details: {
        registry: about.registry,
        status,
        ...(reason === undefined ? {} : { reason }),
        ...(message === undefined ? {} : { registryMessage: message }),
        ...(loginFault === undefined ? {} : { loginFault }),
      },
      ...(hint === undefined ? {} : { hint }),
    },
  );
}

/** One line that cannot move the cursor, reorder text or fill the screen. */
export function printable(text: string): string {
  const line = text
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]+/gu, " ")
    .replace(/ {2,}/g, " ")
    .trim();
  return line.length > MAX_MESSAGE_LENGTH ? `${line.slice(0, MAX_MESSAGE_LENGTH)}…` : line;
}

function pick(text: string): { code?: unknown; message?: unknown; detail?: unknown } {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    // A short plain text is worth showing, a page of HTML is not.
    return /^\s*</.test(text) ? {} : { message: text };
  }
  if (typeof body !== "object" || body === null) return {};
  const { errors, error, message, details, error_description } = body as Record<string, unknown>;
  const first: unknown = Array.isArray(errors) ? errors[0] : undefined;
  if (typeof first === "object" && first !== null) return first;
  // Token endpoints: OAuth2's error_description, Hub's details, others' message.
  return { message: error_description ?? details ?? message ?? error };
}

function redact(text: string, credentials: Credentials | undefined): string {
  if (credentials === undefined || credentials.secret.length === 0) return text;
  const secret = credentials.secret.reveal();
  const basic = Buffer.from(`${credentials.username}:${secret}`).toString("base64");
  const forms = [secret, encodeURIComponent(secret), basic];
  return forms.reduce((line, form) => line.replaceAll(form, "[secret]"), text);
}

function codeOf(status: number, reason: string | undefined, hasLogin: boolean): ErrorCode {
  if (status === 401) return hasLogin ? "LOGIN_REFUSED" : "UNAUTHORIZED";
  if (status === 403) return "DENIED";
  if (status === 413) return "TOO_LARGE";
  if (status === 429) return "TOO_MANY_REQUESTS";
  return (status >= 400 && status < 500 ? CODES[reason ?? ""] : undefined) ?? "REGISTRY_FAILED";
}

function hintOf(code: ErrorCode): string | undefined {
  if (code === "LOGIN_REFUSED") return "check the username and the secret, and whether it has expired";
  if (code === "UNAUTHORIZED") return "log in to this registry first";
  if (code === "DENIED") return "ask the registry's operator for the right to do this";
  if (code === "TOO_MANY_REQUESTS") return "wait, or use a login: anonymous limits are lower";
  return undefined;
}
