import { AppError, type Context } from "#core";
import type { CommandResult, Place } from "#places";
import type { Fetch, FetchAnswer, FetchFailure, FetchRequest } from "#system";

/** curl's exit codes (curl(1), "EXIT CODES") as reasons; the others are `other`. */
const FAILURES: Readonly<Record<number, FetchFailure>> = {
  5: "proxy",
  6: "no-such-host",
  7: "refused",
  28: "timeout",
  35: "not-tls",
  51: "certificate",
  52: "reset",
  56: "reset",
  60: "certificate",
  77: "certificate",
};

const WORDS: Readonly<Partial<Record<FetchFailure, string>>> = {
  proxy: "could not be reached through the proxy",
  "no-such-host": "is a name that cannot be found there",
  refused: "cannot be connected to from there",
  timeout: "did not answer in time",
  "not-tls": "does not speak TLS on this port",
  certificate: "has a certificate that is not trusted there, or not for this name",
  reset: "closed the connection in the middle",
};

const TIMEOUT_SECONDS = 20;

/**
 * Asks over HTTP from a place, by its own curl: with its names, routes, proxy and trusted CAs. Everything secret is in a configuration on
 * curl's standard input, nothing on its command line. `caPath` is a CA's file there, trusted beside the system's. Only small answers. Throws
 * UNSUPPORTED where there is no curl, UNREACHABLE or TLS_FAILED as `Fetch` does.
 */
export function createCurlFetch(
  context: Context,
  place: Place,
  caPath: string | undefined,
  userAgent: string,
): Fetch {
  return async (url, request) => {
    const stdin = new TextEncoder().encode(renderCurlConfig(url, request, { caPath, userAgent }));
    // -q first: nobody's ~/.curlrc may change what is asked.
    const command = {
      argv: ["curl", "-q", "--config", "-"],
      stdin,
      timeoutSeconds: TIMEOUT_SECONDS + 10,
    } as const;
    const result = await place.run?.(context, command);
    if (result === undefined)
      throw new AppError("UNSUPPORTED", `there is no curl at ${place.name}`, {
        hint: "install curl there, or check without --from-target",
      });
    const { host } = new URL(url);
    if (result.exitCode !== 0) throw curlFault(result, host);
    return parseCurlAnswer(result.stdout, host);
  };
}

/** The request as curl reads it (curl(1), "-K, --config"). */
export function renderCurlConfig(
  url: string,
  request: Pick<FetchRequest, "method" | "headers" | "body">,
  how: { readonly caPath: string | undefined; readonly userAgent: string },
): string {
  const { method = "GET", headers = {}, body } = request;
  if (body !== undefined && typeof body !== "string")
    throw new AppError("INTERNAL", "curl is given no body but a text");
  const lines: [string, string?][] = [
    ["silent"],
    ["show-error"],
    ["globoff"],
    ["proto", "=http,https"],
    ["max-time", String(TIMEOUT_SECONDS)],
    ["dump-header", "-"],
    ["user-agent", how.userAgent],
    ["url", url],
    ...Object.entries(headers).map(([name, value]): [string, string] => ["header", `${name}: ${value}`]),
  ];
  if (how.caPath !== undefined) lines.push(["cacert", how.caPath]);
  if (method === "HEAD") lines.push(["head"], ["output", "/dev/null"]);
  else if (method !== "GET") lines.push(["request", method]);
  if (body !== undefined) lines.push(["data-raw", body]);
  return lines.map(([name, value]) => `${name}${value === undefined ? "" : ` = ${quote(value)}`}\n`).join("");
}

/** What curl printed: the headers of each answer on the way (100, a proxy's), then the last one's with its body. Throws REGISTRY_FAILED. */
export function parseCurlAnswer(stdout: Uint8Array, host: string): FetchAnswer {
  let rest = stdout;
  let last: { status: number; headers: Headers } | undefined;
  for (;;) {
    const end = endOfHeaders(rest);
    const head = new TextDecoder("latin1").decode(rest.subarray(0, end));
    const status = /^HTTP\/[\d.]+ (\d{3})/.exec(head)?.[1];
    if (status === undefined) break;
    last = { status: Number(status), headers: parseHeaders(head) };
    rest = rest.subarray(end);
  }
  if (last === undefined) throw new AppError("REGISTRY_FAILED", `${host} did not answer in HTTP`);
  const body = new Uint8Array(rest);
  return {
    ...last,
    body: new Blob([body]).stream(),
    readBytes: (maxBytes) =>
      body.length > maxBytes
        ? Promise.reject(new AppError("TOO_LARGE", `${host} answered with more than ${maxBytes} bytes`))
        : Promise.resolve(body),
    discard: () => Promise.resolve(),
  };
}

function parseHeaders(head: string): Headers {
  const headers = new Headers();
  for (const line of head.split("\r\n").slice(1)) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0)).trim();
    // What is no header's name is nobody's header.
    if (/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name))
      headers.append(
        name,
        line
          .slice(colon + 1)
          .replaceAll(/[\p{Cc}]/gu, " ")
          .trim(),
      );
  }
  return headers;
}

/** Where the empty line after the headers ends; the whole where there is none. */
function endOfHeaders(bytes: Uint8Array): number {
  const at = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf("\r\n\r\n");
  return at < 0 ? bytes.length : at + 4;
}

/** curl's words name the host, and no login; they are not repeated all the same. */
function curlFault({ exitCode }: CommandResult, host: string): AppError {
  const failure = FAILURES[exitCode] ?? "other";
  const words = WORDS[failure] ?? `could not be asked there (curl ended with exit code ${exitCode})`;
  const isTls = failure === "certificate" || failure === "not-tls";
  return new AppError(isTls ? "TLS_FAILED" : "UNREACHABLE", `${host} ${words}`, {
    details: { host, failure },
    ...(failure === "certificate"
      ? { hint: "programs there need the CA too: ca: of the login delivers it" }
      : {}),
  });
}

function quote(value: string): string {
  if (/[\0]/.test(value)) throw new AppError("INVALID_INPUT", "a NUL character cannot be sent");
  const escapes: Readonly<Record<string, string>> = {
    "\\": "\\\\",
    '"': '\\"',
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
  };
  return `"${value.replaceAll(/[\\"\n\r\t\v]/g, (char) => escapes[char] ?? char)}"`;
}
