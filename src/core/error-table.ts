/** What the three edges say about an error: OCI body, problem+json, terminal. */
export interface ErrorRow {
  /** One line, lower case: what this code means, for the reference. */
  readonly summary: string;
  /** HTTP status at the server's two edges. */
  readonly status: number;
  /** Code in an OCI error body (distribution-spec, "Error Codes"). */
  readonly oci: OciErrorCode;
  /** Exit code at the terminal: 1 failed, 2 usage, 3 partly failed or drift, 4 not allowed, 5 unreachable, 130 interrupted. */
  readonly exit: 1 | 2 | 3 | 4 | 5 | 130;
}

export type OciErrorCode =
  | "BLOB_UNKNOWN"
  | "BLOB_UPLOAD_INVALID"
  | "BLOB_UPLOAD_UNKNOWN"
  | "DIGEST_INVALID"
  | "MANIFEST_BLOB_UNKNOWN"
  | "MANIFEST_INVALID"
  | "MANIFEST_UNKNOWN"
  | "NAME_INVALID"
  | "NAME_UNKNOWN"
  | "SIZE_INVALID"
  | "UNAUTHORIZED"
  | "DENIED"
  | "UNSUPPORTED"
  | "TOOMANYREQUESTS"
  | "UNKNOWN";

function row(summary: string, status: number, oci: OciErrorCode, exit: ErrorRow["exit"]): ErrorRow {
  return { summary, status, oci, exit };
}

/** Every error that Wharfinger reports, by code. The reference in docs/reference/errors.md is made from this. */
export const errorTable = {
  // Asking for something in the wrong way.
  USAGE: row("the command line is not one that wharf understands", 400, "UNSUPPORTED", 2),
  INVALID_INPUT: row("a value does not have the form it must have", 400, "UNSUPPORTED", 1),
  NAME_INVALID: row(
    "a name is not a valid repository, project, user, robot or login name",
    400,
    "NAME_INVALID",
    1,
  ),
  DIGEST_INVALID: row("a digest is malformed, or the content does not have it", 400, "DIGEST_INVALID", 1),
  MANIFEST_INVALID: row(
    "a manifest is not one that the OCI image specification allows",
    400,
    "MANIFEST_INVALID",
    1,
  ),
  IMAGE_INVALID: row(
    "the configuration or a layer of an image is not one that can be unpacked",
    400,
    "MANIFEST_INVALID",
    1,
  ),
  MANIFEST_BLOB_UNKNOWN: row(
    "a manifest names a blob or manifest that the repository does not hold",
    404,
    "MANIFEST_BLOB_UNKNOWN",
    1,
  ),
  UPLOAD_INVALID: row(
    "an upload was continued or finished in a way that does not fit what was received",
    400,
    "BLOB_UPLOAD_INVALID",
    1,
  ),
  RANGE_INVALID: row(
    "a range or chunk does not start where the upload or blob allows",
    416,
    "BLOB_UPLOAD_INVALID",
    1,
  ),
  SIZE_INVALID: row("the content does not have the length that was announced", 400, "SIZE_INVALID", 1),
  TOO_LARGE: row("something is larger than its limit", 413, "SIZE_INVALID", 1),
  METHOD_NOT_ALLOWED: row("this address does not take that method", 405, "UNSUPPORTED", 1),
  // Nothing there.
  NOT_FOUND: row(
    "what was asked for does not exist, or the caller may not know of it",
    404,
    "NAME_UNKNOWN",
    1,
  ),
  PROJECT_UNKNOWN: row(
    "the project does not exist, or the caller may not know of it",
    404,
    "NAME_UNKNOWN",
    1,
  ),
  REPOSITORY_UNKNOWN: row(
    "the repository does not exist, or the caller may not know of it",
    404,
    "NAME_UNKNOWN",
    1,
  ),
  MANIFEST_UNKNOWN: row("the repository holds no such tag or manifest", 404, "MANIFEST_UNKNOWN", 1),
  BLOB_UNKNOWN: row("the repository holds no such blob", 404, "BLOB_UNKNOWN", 1),
  UPLOAD_UNKNOWN: row(
    "no such upload: it ended, expired or was never started here",
    404,
    "BLOB_UPLOAD_UNKNOWN",
    1,
  ),
  // Who is asking.
  UNAUTHORIZED: row("no login was sent, or it is not valid", 401, "UNAUTHORIZED", 4),
  CREDENTIAL_EXPIRED: row("the secret was right, but it has expired", 401, "UNAUTHORIZED", 4),
  CREDENTIAL_REVOKED: row("the secret was right, but it has been revoked", 401, "UNAUTHORIZED", 4),
  ACCOUNT_DISABLED: row("the secret was right, but the user or robot is disabled", 401, "UNAUTHORIZED", 4),
  INSUFFICIENT_SCOPE: row(
    "the Bearer token does not cover this action; ask for a new one",
    401,
    "UNAUTHORIZED",
    4,
  ),
  DENIED: row("the caller is known, and may not do this", 403, "DENIED", 4),
  TOO_MANY_REQUESTS: row("too many attempts; wait and try again", 429, "TOOMANYREQUESTS", 1),
  // Conflicts and state.
  ALREADY_EXISTS: row("something of that name exists already", 409, "DENIED", 1),
  CONFLICT: row("somebody else changed it meanwhile", 409, "DENIED", 1),
  UNSUPPORTED: row("this is not supported here", 405, "UNSUPPORTED", 1),
  // Machine and network.
  STORAGE_FULL: row("there is no room left on the disk", 507, "UNKNOWN", 1),
  STORAGE_FAILED: row("reading or writing the data failed", 500, "UNKNOWN", 1),
  BUSY: row("too much is asked at once; try again shortly", 503, "TOOMANYREQUESTS", 1),
  UNREACHABLE: row("the other side did not answer", 502, "UNKNOWN", 5),
  TLS_FAILED: row("the other side's certificate is not trusted or does not fit", 502, "UNKNOWN", 5),
  REGISTRY_FAILED: row("the registry answered in a way that cannot be used", 502, "UNKNOWN", 1),
  KUBERNETES_FAILED: row("a Kubernetes API answered in a way that cannot be used", 502, "UNKNOWN", 1),
  ADDRESS_IN_USE: row("the address to listen on is taken", 500, "UNKNOWN", 1),
  INSECURE_LISTEN: row("listening beyond this machine without TLS is refused", 500, "UNKNOWN", 2),
  PROGRAM_FAILED: row("a program that was started failed", 500, "UNKNOWN", 1),
  // Logins and their delivery.
  CONFIG_NOT_FOUND: row("no wharf.yaml was found", 500, "UNKNOWN", 2),
  CONFIG_INVALID: row("a configuration file has a mistake in it", 500, "UNKNOWN", 2),
  SECRET_IN_CONFIG: row("wharf.yaml holds a secret, which it must not", 500, "UNKNOWN", 2),
  LOGIN_UNKNOWN: row("no login of that name is in wharf.yaml", 500, "UNKNOWN", 2),
  LOGIN_REFUSED: row("the registry refused the login", 500, "UNKNOWN", 4),
  LOGIN_NOT_PROVED: row("the registry never asked for the login, so it cannot be proved", 500, "UNKNOWN", 1),
  LOGINS_COLLIDE: row("two logins claim the same images", 500, "UNKNOWN", 2),
  SECRET_UNAVAILABLE: row("the secret of a login could not be had from its source", 500, "UNKNOWN", 1),
  VAULT_KEY_WRONG: row("the vault cannot be opened with this key or passphrase", 500, "UNKNOWN", 4),
  VAULT_TAMPERED: row("the vault was changed by somebody without its key", 500, "UNKNOWN", 4),
  FILE_INVALID: row("a program's file does not parse, so it is left alone", 500, "UNKNOWN", 1),
  UNSAFE_PATH: row("a path leads through a link or out of where it must stay", 500, "UNKNOWN", 4),
  PERMISSION_DENIED: row("this machine's user may not read or write it", 500, "UNKNOWN", 4),
  DELIVERY_REFUSED: row("a consumer cannot express a login as it was asked", 500, "UNKNOWN", 3),
  DRIFT: row("what is on the target is not what was delivered", 500, "UNKNOWN", 3),
  PARTLY_FAILED: row("some targets failed, the others are done", 500, "UNKNOWN", 3),
  INTERRUPTED: row("stopped by a signal", 503, "UNKNOWN", 130),
  INTERNAL: row("a fault in wharf itself", 500, "UNKNOWN", 1),
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof errorTable;
