import type { Access } from "#access";
import type { BlobStore } from "#blobs";
import type { Catalog } from "#catalog";
import { AppError, type Logger, Secret } from "#core";
import { type Clock, systemClock } from "#system";
import { Answers } from "./answers.ts";
import { originOf, renderChallenge, scopeOf } from "./challenge.ts";
import type { Peer, Registry, RegistryLimits } from "./contract.ts";
import { dispatch, dispatchToken } from "./dispatch.ts";
import { toErrorResponse } from "./error-response.ts";
import type { Parts } from "./exchange.ts";
import { expireUploads } from "./expire-uploads.ts";
import { defaultRegistryLimits } from "./limits.ts";
import { Permissions } from "./permissions.ts";
import { parseRoute, type Route } from "./route.ts";
import { sendAnswer } from "./send-answer.ts";
import { UploadGate } from "./upload-gate.ts";

export interface RegistryOptions {
  readonly catalog: Catalog;
  readonly access: Access;
  readonly blobs: BlobStore;
  readonly log: Logger;
  readonly limits?: Partial<RegistryLimits>;
  readonly clock?: Clock;
  /** Called when a job was enqueued. */
  readonly onJob?: () => void;
  /** `scheme://host[:port]` for the realm where a request does not say which host it called. */
  readonly publicUrl?: string;
}

/** The OCI distribution server over a catalog and a blob store. Holds nothing that another process could miss. */
export function createRegistry(options: RegistryOptions): Registry {
  const { catalog, log, clock = systemClock } = options;
  const limits = { ...defaultRegistryLimits, ...options.limits };
  const uploadKey = createUploadKey(catalog);
  const parts: Parts = {
    catalog,
    access: options.access,
    permissions: new Permissions(options.access, catalog.generations),
    blobs: options.blobs,
    log,
    limits,
    clock,
    answers: new Answers(catalog.generations, limits.maxAnswerBytes),
    gate: new UploadGate(limits.maxActiveUploads),
    onJob: options.onJob ?? (() => undefined),
    conversionWaitMs: limits.conversionWaitSeconds * 1000,
    uploadKey,
  };
  const expire = expireUploads(parts);

  async function answer(
    request: Request,
    peer: Peer,
    asked: { readonly route: Route; readonly query: URLSearchParams; readonly memoryKey: string | undefined },
  ): Promise<Response> {
    const { route, query, memoryKey } = asked;
    try {
      if (route.kind === "token") return await dispatchToken(parts, request, peer);
      // Before the caller is looked at: what changes from here on makes the answer stale.
      const memory =
        memoryKey === undefined || !("repository" in route)
          ? undefined
          : { key: memoryKey, mark: catalog.generations.mark(route.repository) };
      const authorization = request.headers.get("authorization") ?? undefined;
      const caller = await parts.access.authenticate(authorization, peer.address);
      if (route.kind === "uploads") expire();
      return await dispatch(parts, { request, caller, query, memory }, route);
    } catch (cause) {
      return toErrorResponse(cause, {
        log,
        challenge: () => challengeFor(cause, request, peer, asked),
      });
    }
  }

  function challengeFor(
    cause: unknown,
    request: Request,
    peer: Peer,
    asked: { readonly route: Route; readonly query: URLSearchParams },
  ): string {
    const origin = originOf(request, peer, options.publicUrl);
    if (asked.route.kind === "token") return `Basic realm="${origin}"`;
    const isBearer = /^bearer /i.test(request.headers.get("authorization") ?? "");
    const isNarrow = cause instanceof AppError && cause.code === "INSUFFICIENT_SCOPE";
    return renderChallenge({
      origin,
      scope: scopeOf(request.method, asked.route, asked.query),
      error: isNarrow ? "insufficient_scope" : isBearer ? "invalid_token" : undefined,
    });
  }

  return {
    fetch(request, peer) {
      const { method, url } = request;
      // Behind the host: "/v2/…". A URL that Bun gives is absolute and normal; eight characters hold "https://".
      const at = url.indexOf("/", 8);
      const isRead = method === "GET" || method === "HEAD";
      const memoryKey = isRead
        ? `${method}${url.slice(at)}\n${request.headers.get("authorization") ?? ""}`
        : undefined;
      if (memoryKey !== undefined) {
        const known = parts.answers.find(memoryKey, clock.now());
        if (known !== undefined && !(known.ranges && request.headers.has("range")))
          return sendAnswer(known, request);
      }
      const search = url.indexOf("?", at);
      const path = search === -1 ? url.slice(at) : url.slice(at, search);
      const query = new URLSearchParams(search === -1 ? "" : url.slice(search));
      const route: Route = path === "/v2" ? { kind: "base" } : parseRoute(path);
      return answer(request, peer, { route, query, memoryKey });
    },
  };
}

/** Read with the first upload, and again when that failed. */
function createUploadKey(catalog: Catalog): () => Promise<Secret> {
  let key: Promise<Secret> | undefined;
  const read = async (): Promise<Secret> => {
    try {
      return await catalog.sealedSecrets.readOrCreate(
        "upload-ids",
        () => new Secret(Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url")),
      );
    } catch (cause) {
      key = undefined;
      throw cause;
    }
  };
  return () => (key ??= read());
}
