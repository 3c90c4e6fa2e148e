import { X509Certificate } from "node:crypto";
import { AppError, type Secret } from "#core";
import { toFetchError } from "./fetch-error.ts";
import { chooseProxy, type ProxyEnvironment } from "./proxy-environment.ts";
import { withIdleTimeout } from "./stream-idle.ts";

/** A request to another machine. Nothing of the environment is added but the proxy. */
export interface FetchRequest {
  readonly method?: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly headers?: Readonly<Record<string, string>>;
  /** A Blob (`Bun.file` too) is sent with its length. A stream can be sent once; give `content-length` with it. */
  readonly body?: Uint8Array<ArrayBuffer> | string | Blob | ReadableStream<Uint8Array>;
  readonly signal: AbortSignal;
  /** A CA certificate or several, PEM, trusted beside the system's. */
  readonly ca?: string;
  /** How long the other side may take until its answer begins, after the body was sent; milliseconds. */
  readonly answerTimeoutMs?: number;
  /** Longest silence inside the body, milliseconds: a watch is silent for long. */
  readonly idleTimeoutMs?: number;
  readonly tls?: FetchTls;
  /** A unix socket that is asked instead of the address's host. */
  readonly socket?: string;
  /** The proxy (`http://host:port`), in place of what the environment says. */
  readonly proxy?: string;
}

/** How the other side is known, and we to it, where that is not by the system's CAs alone. */
export interface FetchTls {
  /** CA certificates, PEM, trusted instead of the system's. */
  readonly onlyCa?: string;
  /** Our own certificate with its chain, and its key, PEM. */
  readonly identity?: { readonly certificate: string; readonly key: Secret };
  /** The name that the certificate must have, where it is not the address's. */
  readonly serverName?: string;
  /** The certificate is not looked at: where somebody wrote down that they want it so. */
  readonly isUnverified?: boolean;
}

export interface FetchAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** The bytes as sent, never decompressed. Errors of the stream are AppErrors. Read it, or `discard()`. */
  readonly body: ReadableStream<Uint8Array>;
  /** The whole body; throws TOO_LARGE past the limit. */
  readBytes(maxBytes: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Lets the connection go without reading the body. */
  discard(): Promise<void>;
}

/**
 * Asks another machine over HTTP. Redirects are given back, never followed; bodies are never decompressed; there is no cookie.
 * Throws UNREACHABLE or TLS_FAILED (see `fetchFailure`), INTERRUPTED when the signal aborts, CONFIG_INVALID for a CA or proxy that is none.
 */
export type Fetch = (url: string, request: FetchRequest) => Promise<FetchAnswer>;

export interface FetchOptions {
  /** Where HTTP_PROXY and its kin are looked up; `{}` for none. */
  readonly environment: ProxyEnvironment;
  readonly userAgent: string;
  /** Default for `FetchRequest.answerTimeoutMs`: 60 s. */
  readonly answerTimeoutMs?: number;
  /** Longest silence inside a body, in either direction: 60 s. */
  readonly idleTimeoutMs?: number;
}

// What a body of known length may take beyond the answer timeout: a line slower than this is taken for dead.
const SLOWEST_BYTES_PER_MS = 16;

export function createFetch(options: FetchOptions): Fetch {
  const { answerTimeoutMs = 60_000, idleTimeoutMs = 60_000 } = options;
  const trusted = new Map<string, string[]>();

  return async function fetchFrom(address, request) {
    const url = parseUrl(address);
    const isSocket = request.socket !== undefined;
    const proxy = request.proxy ?? (isSocket ? undefined : chooseProxy(url, options.environment));
    const ca = request.ca === undefined ? undefined : certificates(request.ca, trusted);
    const tls = { ...(ca === undefined ? {} : { ca }), ...tlsOptions(request.tls) };
    const limit = new AbortController();
    const signal = AbortSignal.any([request.signal, limit.signal]);
    const timeoutMs = (request.answerTimeoutMs ?? answerTimeoutMs) + sendTimeMs(request.body);
    const expire = (): void => limit.abort(new DOMException("no answer in time", "TimeoutError"));
    let timer = setTimeout(expire, timeoutMs);
    const touch = (): void => {
      clearTimeout(timer);
      timer = setTimeout(expire, timeoutMs);
    };
    const fail = (cause: unknown): AppError => {
      if (request.signal.aborted)
        return new AppError("INTERRUPTED", "stopped", { cause: request.signal.reason });
      return toFetchError(cause, url.host, proxy === undefined ? undefined : new URL(proxy).host);
    };
    try {
      const response = await fetch(url.href, {
        method: request.method ?? "GET",
        headers: { "user-agent": options.userAgent, "accept-encoding": "identity", ...request.headers },
        body: request.body instanceof ReadableStream ? watched(request.body, touch) : request.body,
        redirect: "manual",
        decompress: false,
        signal,
        // `false` keeps Bun from reading the environment by itself; its types do not know it yet.
        proxy: (proxy ?? false) as string,
        ...(Object.keys(tls).length === 0 ? {} : { tls }),
        ...(request.socket === undefined ? {} : { unix: request.socket }),
      });
      return answerOf(response, { idleTimeoutMs: request.idleTimeoutMs ?? idleTimeoutMs, fail });
    } catch (cause) {
      throw fail(cause);
    } finally {
      clearTimeout(timer);
    }
  };
}

interface BodyRules {
  readonly idleTimeoutMs: number;
  readonly fail: (cause: unknown) => AppError;
}

function answerOf(response: Response, rules: BodyRules): FetchAnswer {
  const source = response.body ?? new Blob([]).stream();
  const body = withIdleTimeout(source as ReadableStream<Uint8Array>, rules.idleTimeoutMs, rules.fail);
  return {
    status: response.status,
    headers: response.headers,
    body,
    async readBytes(maxBytes) {
      const announced = Number(response.headers.get("content-length") ?? 0);
      const chunks: Uint8Array[] = [];
      let length = 0;
      const reader = body.getReader();
      try {
        if (announced > maxBytes) throw tooLarge(maxBytes);
        for (;;) {
          const { done, value } = await reader.read();
          if (done) break;
          length += value.byteLength;
          if (length > maxBytes) throw tooLarge(maxBytes);
          chunks.push(value);
        }
      } catch (error) {
        await reader.cancel().catch(() => undefined);
        throw error;
      }
      return new Uint8Array(Buffer.concat(chunks, length));
    },
    // A body that cannot be let go is already gone.
    discard: () => body.cancel().catch(() => undefined),
  };
}

function watched(stream: ReadableStream<Uint8Array>, touch: () => void): ReadableStream<Uint8Array> {
  return stream.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        touch();
        controller.enqueue(chunk);
      },
    }),
  );
}

function sendTimeMs(body: FetchRequest["body"]): number {
  if (body instanceof Blob) return body.size / SLOWEST_BYTES_PER_MS;
  return body instanceof Uint8Array ? body.byteLength / SLOWEST_BYTES_PER_MS : 0;
}

/** Bun's `ca` replaces the trusted list, so the default one (bundled and the system's) is put before the given ones. */
function certificates(pem: string, known: Map<string, string[]>): string[] {
  const found = known.get(pem);
  if (found !== undefined) return found;
  const own = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    for (const certificate of own) new X509Certificate(certificate);
  } catch (cause) {
    throw new AppError("CONFIG_INVALID", "the CA file holds something that is not a certificate", { cause });
  }
  if (own.length === 0) throw new AppError("CONFIG_INVALID", "the CA file holds no PEM certificate");
  const all = [...process.getBuiltinModule("node:tls").getCACertificates("default"), ...own];
  known.set(pem, all);
  return all;
}

function tlsOptions(tls: FetchTls | undefined): Bun.TLSOptions {
  if (tls === undefined) return {};
  const { onlyCa, identity, serverName, isUnverified } = tls;
  return {
    ...(onlyCa === undefined ? {} : { ca: onlyCa }),
    ...(identity === undefined ? {} : { cert: identity.certificate, key: identity.key.reveal() }),
    ...(serverName === undefined ? {} : { serverName }),
    ...(isUnverified === true ? { rejectUnauthorized: false } : {}),
  };
}

function parseUrl(address: string): URL {
  const url = URL.parse(address);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw new AppError("INVALID_INPUT", "only http and https addresses can be asked");
  }
  if (url.username !== "" || url.password !== "") {
    throw new AppError("INVALID_INPUT", "an address with a login in it is not asked");
  }
  return url;
}

function tooLarge(maxBytes: number): AppError {
  return new AppError("TOO_LARGE", `the answer is larger than ${maxBytes} bytes`);
}
