import { AppError, type Logger, type Secret, toAppError } from "#core";
import { findPortOwner, systemErrorCode } from "#system";
import { isWildcard, type ListenAddress, renderHostPort } from "./options/listen-address.ts";
import type { AddressSource } from "./peer.ts";
import { renderProblem } from "./problem.ts";

/** A certificate chain and its key, PEM. */
export interface TlsMaterial {
  readonly cert: string;
  readonly key: Secret;
}

export type Answer = (request: Request, source: AddressSource) => Response | Promise<Response>;

export interface ListenerOptions {
  readonly listen: ListenAddress;
  readonly tls: TlsMaterial | undefined;
  readonly answer: Answer;
  readonly log: Logger;
}

/** A socket that answers. */
export interface Listener {
  /** The host as asked for, and the port that it became. */
  readonly address: ListenAddress;
  readonly openRequests: number;
  /** New connections get this certificate; those that are there finish with the old one. */
  useTls(tls: TlsMaterial): void;
  /** Stops accepting, lets requests finish for `graceMs` (or until `hurry`), then cuts what is left. */
  stop(graceMs: number, hurry: AbortSignal): Promise<void>;
}

type BunServer = ReturnType<typeof serve>;

/**
 * Begins to listen. Throws ADDRESS_IN_USE, saying by whom where that can be known; PERMISSION_DENIED; INVALID_INPUT for an address that
 * this machine does not have.
 */
export async function openListener(options: ListenerOptions): Promise<Listener> {
  const { listen } = options;
  try {
    // With TLS the port is opened so that a second socket can follow with a new certificate (Bun's reload keeps the old one), which would
    // also let it join another server's port: a plain socket finds out first whether the port is free.
    if (options.tls !== undefined && listen.port !== 0) await serve(options, listen.port, false).stop(true);
    let server = serve(options, listen.port, options.tls !== undefined);
    const old = new Set<BunServer>();
    const port = server.port ?? listen.port;
    return {
      address: { host: listen.host, port },
      get openRequests() {
        return [server, ...old].reduce((sum, each) => sum + each.pendingRequests, 0);
      },
      useTls(tls) {
        const before = server;
        server = serve({ ...options, tls }, port, true);
        old.add(before);
        before.stop().then(
          () => old.delete(before),
          (cause: unknown) => options.log.error("an old listener did not stop", { error: toAppError(cause) }),
        );
      },
      async stop(graceMs, hurry) {
        const all = [server, ...old];
        const finished = Promise.all(all.map((each) => each.stop()));
        await Promise.race([finished, waitFor(graceMs, hurry)]);
        await Promise.all(all.map((each) => each.stop(true)));
      },
    };
  } catch (cause) {
    throw await toListenError(cause, listen);
  }
}

function serve(options: ListenerOptions, port: number, reusePort: boolean) {
  return Bun.serve({
    hostname: options.listen.host,
    port,
    reusePort,
    // Bun counts this from the request's start and not from the last byte, so any value would cut a long upload or download.
    // Stalled connections are found by stalled-connections.ts; Bun itself gives headers 12 seconds and 16 KB.
    idleTimeout: 0,
    // The rooms have limits of their own, each for what it reads.
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    development: false,
    ...(options.tls === undefined ? {} : { tls: { cert: options.tls.cert, key: options.tls.key.reveal() } }),
    fetch: options.answer,
    error(cause) {
      const error = toAppError(cause);
      options.log.error("a request failed", { error });
      return renderProblem(error);
    },
  });
}

/** Resolves after `ms`, or when the signal says so; leaves no timer behind that holds the process. */
function waitFor(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(resolve, ms);
    timer.unref();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

async function toListenError(cause: unknown, listen: ListenAddress): Promise<AppError> {
  const where = renderHostPort(listen);
  const code = systemErrorCode(cause);
  if (code === "EADDRINUSE") {
    const owner = await findPortOwner(listen.port);
    const user = owner === undefined ? "" : ` of user ${owner.uid}`;
    const who =
      owner?.pid === undefined ? `another program${user}` : `${owner.program} (process ${owner.pid})`;
    return new AppError("ADDRESS_IN_USE", `${where} is taken by ${who}`, {
      hint: `stop it, or choose another port: --listen ${renderHostPort({ ...listen, port: 0 })} takes any that is free`,
      cause,
    });
  }
  if (code === "EACCES" || code === "EPERM")
    return new AppError("PERMISSION_DENIED", `this user may not listen on ${where}`, {
      hint: listen.port < 1024 ? "choose a port above 1023" : "choose another port",
      cause,
    });
  if (code === "EADDRNOTAVAIL" || code === "EAFNOSUPPORT")
    return new AppError("INVALID_INPUT", `${listen.host} is not an address of this machine`, {
      hint: isWildcard(listen.host)
        ? "use 0.0.0.0 for every IPv4 address"
        : "use 127.0.0.1 for this machine alone, 0.0.0.0 for every address of it",
      cause,
    });
  return toAppError(cause);
}
