import { AppError } from "#core";
import { systemErrorCode } from "./storage-error.ts";

/** Why a connection failed, as data: `details.failure` of what `Fetch` throws. Callers branch on this, never on texts. */
export type FetchFailure =
  | "refused"
  | "no-such-host"
  | "reset"
  | "timeout"
  | "not-tls"
  | "certificate"
  | "proxy"
  | "other";

const FAILURES: Readonly<Record<string, FetchFailure>> = {
  ECONNREFUSED: "refused",
  ConnectionRefused: "refused",
  FailedToOpenSocket: "refused",
  EHOSTUNREACH: "refused",
  ENETUNREACH: "refused",
  ENOTFOUND: "no-such-host",
  EAI_AGAIN: "no-such-host",
  ECONNRESET: "reset",
  EPIPE: "reset",
  ConnectionClosed: "reset",
  ETIMEDOUT: "timeout",
  ConnectionTimeout: "timeout",
  EPROTO: "not-tls",
  ERR_PROXY_TUNNEL: "proxy",
  ERR_TLS_CERT_ALTNAME_INVALID: "certificate",
};

const WORDS: Readonly<Record<FetchFailure, string>> = {
  refused: "refused the connection",
  "no-such-host": "is a name that cannot be found",
  reset: "closed the connection in the middle",
  timeout: "did not answer in time",
  "not-tls": "does not speak TLS on this port",
  certificate: "has a certificate that is not trusted or not for this name",
  proxy: "could not be reached through the proxy",
  other: "could not be reached",
};

/** A failure of Bun's fetch as UNREACHABLE or TLS_FAILED. `host` is what was contacted; no path, no query, no login. */
export function toFetchError(cause: unknown, host: string, proxyHost: string | undefined): AppError {
  if (cause instanceof AppError) return cause;
  const code = systemErrorCode(cause);
  const failure = failureOf(cause, code);
  const isTls = failure === "certificate" || failure === "not-tls";
  const by = proxyHost === undefined ? "" : ` (asked through the proxy ${proxyHost})`;
  const hint = hintFor(failure, proxyHost);
  return new AppError(isTls ? "TLS_FAILED" : "UNREACHABLE", `${host} ${WORDS[failure]}${by}`, {
    details: { host, failure, ...(code === undefined ? {} : { systemCode: code }) },
    ...(hint === undefined ? {} : { hint }),
    cause,
  });
}

/** Why a connection failed; undefined for errors that are not of a connection. */
export function fetchFailure(error: unknown): FetchFailure | undefined {
  return error instanceof AppError ? (error.details?.failure as FetchFailure | undefined) : undefined;
}

function failureOf(cause: unknown, code: string | undefined): FetchFailure {
  if (cause instanceof Error && cause.name === "TimeoutError") return "timeout";
  if (code === undefined) return "other";
  const known = FAILURES[code];
  if (known !== undefined) return known;
  // OpenSSL's verification codes: UNABLE_TO_…, CERT_…, DEPTH_ZERO_…, SELF_SIGNED_….
  return /CERT|ISSUER|SIGNATURE|CRL|ERR_TLS/.test(code) ? "certificate" : "other";
}

function hintFor(failure: FetchFailure, proxyHost: string | undefined): string | undefined {
  if (proxyHost !== undefined && failure !== "certificate") {
    return "check HTTP_PROXY, HTTPS_PROXY and NO_PROXY";
  }
  if (failure === "certificate")
    return "give the registry's own CA certificate, if it has one, or mend the name";
  if (failure === "not-tls") return "say plain-http if the registry has no TLS";
  if (failure === "no-such-host") return "check the name and this machine's DNS";
  if (failure === "refused") return "check the port, and whether the registry is running";
  return undefined;
}
