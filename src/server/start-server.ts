import type { FirstAdmin } from "#access";
import { AppError, isAppError, type Logger, toAppError, version } from "#core";
import { type Clock, createSocketWatch, ensurePrivateFolder, readFreeBytes, startOwnProgram } from "#system";
import { type AddressFile, createAddressFile } from "./address-file.ts";
import { createDispatch } from "./dispatch.ts";
import { type Listener, openListener } from "./listener.ts";
import { createMetrics } from "./metrics.ts";
import { isWildcard, renderHostPort } from "./options/listen-address.ts";
import type { ServeOptions } from "./options/parse-serve-options.ts";
import { createReadiness, type ServerState } from "./readiness.ts";
import { openRooms, type Rooms } from "./rooms.ts";
import { createSite } from "./site.ts";
import { createStallSweep } from "./stalled-connections.ts";
import { openTls } from "./tls/open-tls.ts";

export interface ServerParts {
  readonly log: Logger;
  readonly clock: Clock;
}

/** A server that answers. */
export interface RunningServer {
  /** `host:port` as a client of this machine reaches it. */
  readonly address: string;
  /** `scheme://host[:port]` to give to people: --url, or else the address. */
  readonly url: string;
  /** Who may do everything at first, and where the password lies. */
  readonly admin: FirstAdmin;
  /** SHA-256 fingerprint of the own CA's certificate, with --tls auto. */
  readonly caFingerprint: string | undefined;
  /** Asks for the certificate files to be read again. */
  reloadTls(): Promise<void>;
  /**
   * Stops: `/readyz` says so, nothing new is accepted, requests may finish for `stopSeconds` (less when `hurry` says so), the catalog
   * is closed. Calling it again gives the same promise, and may hurry it.
   */
  stop(hurry?: AbortSignal): Promise<void>;
}

/**
 * Starts the registry of a data folder, which is made when it is not there. Resolves when it answers.
 * Throws ADDRESS_IN_USE, PERMISSION_DENIED, INVALID_INPUT, STORAGE_FAILED, STORAGE_FULL, CONFIG_INVALID (certificate files).
 */
export async function startServer(options: ServeOptions, parts: ServerParts): Promise<RunningServer> {
  const { log, clock } = parts;
  const startedAtSeconds = clock.now() / 1000;
  await ensurePrivateFolder(options.dataDir);
  const addressFile = createAddressFile(options.dataDir, log);
  await addressFile.forgetDead();
  const tls = await openTls(options, parts);
  const rooms = await openRooms({
    dataDir: options.dataDir,
    adminPasswordFile: options.adminPasswordFile,
    publicUrl: options.publicUrl,
    startWorker: () => startOwnProgram("wharf-jobs", [options.dataDir, options.logLevel, options.logFormat]),
    clock,
    log,
  });
  let listener: Listener | undefined;
  try {
    let state: ServerState = "STARTING";
    let stopping: Promise<void> | undefined;
    const metrics = createMetrics();
    const watch = createSocketWatch();
    const isSecure = tls.material !== undefined;
    const readiness = createReadiness({
      dataDir: options.dataDir,
      checkDatabase: () => rooms.check(),
      state: () => state,
      clock,
      log,
    });
    const site = createSite({
      readiness,
      metrics,
      gauges: async () => ({
        openRequests: listener?.openRequests ?? 0,
        connections: listener === undefined ? undefined : watch?.connections(listener.address.port).length,
        freeBytes: await readFreeBytes(options.dataDir).catch(() => undefined),
        startedAtSeconds,
        jobs: rooms.countJobs(),
        version,
      }),
      whoMayMeasure: options.metrics,
      behindProxy: options.behindProxy,
      authenticate: (authorization, address) => rooms.access.authenticate(authorization, address),
      home: () => ({ version, registry: new URL(url).host, hasOwnCa: tls.ca !== undefined }),
      caCertificate: tls.ca?.certificate,
    });
    listener = await openListener({
      listen: options.listen,
      tls: tls.material,
      log,
      answer: createDispatch({
        registry: rooms.registry,
        api: () => rooms.api(),
        site,
        secure: isSecure,
        behindProxy: options.behindProxy,
        insecureHttp: options.insecureHttp,
        publicUrl: options.publicUrl,
        metrics,
        accessLog: options.logLevel === "debug" ? log : undefined,
      }),
    });
    const address = renderHostPort({ ...listener.address, host: reachableHost(listener.address.host) });
    const url = options.publicUrl ?? `${isSecure ? "https" : "http"}://${address}`;
    // The slow hash of a first password runs while the server answers already; who waits for the address file finds both.
    const admin = await rooms.ensureAdmin();
    state = "ok";
    await addressFile.write(address);

    const open = listener;
    const stopWatching = tls.follow((material) => open.useTls(material));
    const sweep = watch === undefined ? undefined : createStallSweep(watch, clock, options.stallSeconds);
    // A connection is cut within a tenth of the time more than allowed.
    const sweeping = setInterval(
      () => {
        const cut = sweep?.(open.address.port) ?? 0;
        metrics.countStalled(cut);
        if (cut > 0) log.debug("cut stalled connections", { connections: cut });
      },
      Math.min(30_000, options.stallSeconds * 100),
    );
    sweeping.unref();
    log.info("listening", { address, url, tls: options.tls.kind, dataDir: options.dataDir, version });

    const hurried = new AbortController();
    const stop = async (): Promise<void> => {
      state = "STOPPING";
      log.info("stopping", { openRequests: open.openRequests });
      stopWatching();
      clearInterval(sweeping);
      await addressFile.forget(address);
      await open.stop(options.stopSeconds * 1000, hurried.signal);
      await rooms.close();
      log.info("stopped");
    };
    return {
      address,
      url,
      admin,
      caFingerprint: tls.ca?.fingerprint,
      reloadTls: () => tls.reload(),
      stop: (hurry) => {
        if (hurry?.aborted) hurried.abort();
        else hurry?.addEventListener("abort", () => hurried.abort(), { once: true });
        stopping ??= stop();
        return stopping;
      },
    };
  } catch (cause) {
    await closeAfterFailure(rooms, listener, log);
    throw await explainTaken(cause, options, addressFile);
  }
}

/** Where this machine's own clients go when the server listens on every address. */
function reachableHost(host: string): string {
  return isWildcard(host) ? "127.0.0.1" : host;
}

/** Most often a port is taken by the same registry, started twice. */
async function explainTaken(
  cause: unknown,
  options: ServeOptions,
  addressFile: AddressFile,
): Promise<unknown> {
  if (!isAppError(cause, "ADDRESS_IN_USE")) return cause;
  const wanted = { ...options.listen, host: reachableHost(options.listen.host) };
  if ((await addressFile.read()) !== renderHostPort(wanted)) return cause;
  return new AppError(cause.code, cause.message, {
    hint: "a registry of this data folder listens there already; use it, or stop it first",
    cause,
  });
}

async function closeAfterFailure(rooms: Rooms, listener: Listener | undefined, log: Logger): Promise<void> {
  try {
    await listener?.stop(0, AbortSignal.abort());
    await rooms.close();
  } catch (cause) {
    // The first error is the one to report.
    log.error("closing after a failed start failed too", { error: toAppError(cause) });
  }
}
