import type { Access } from "#access";
import type { BlobStore } from "#blobs";
import type { Catalog } from "#catalog";
import { AppError, type Logger, Secret } from "#core";
import { parseRepositoryName } from "#oci";
import { type Clock, systemClock } from "#system";
import { Answers } from "./answers.ts";
import { deleteBlob, getBlob } from "./blobs.ts";
import { originOf, renderChallenge, scopeOf } from "./challenge.ts";
import type { Peer, Registry, RegistryLimits } from "./contract.ts";
import { toErrorResponse } from "./error-response.ts";
import type { Exchange, Parts } from "./exchange.ts";
import { expireUploads } from "./expire-uploads.ts";
import { defaultRegistryLimits } from "./limits.ts";
import { listCatalog, listReferrers, listTags } from "./lists.ts";
import { deleteManifest, getManifest, putManifest } from "./manifests.ts";
import { parseRoute, type Route } from "./route.ts";
import { sendAnswer } from "./send-answer.ts";
import { answerToken } from "./token-endpoint.ts";
import { UploadGate } from "./upload-gate.ts";
import { cancelUpload, continueUpload, endUpload, getUpload, startUpload } from "./uploads.ts";

export interface RegistryOptions {
  readonly catalog: Catalog;
  readonly access: Access;
  readonly blobs: BlobStore;
  readonly log: Logger;
  readonly limits?: Partial<RegistryLimits>;
  readonly clock?: Clock;
  /** `scheme://host[:port]` for the realm where a request does not say which host it called. */
  readonly publicUrl?: string;
}

/** The OCI distribution server over a catalog and a blob store. Holds nothing that another process could miss. */
export function createRegistry(options: RegistryOptions): Registry {
  const { catalog, log, clock = systemClock } = options;
  const limits = { ...defaultRegistryLimits, ...options.limits };
  let key: Promise<Secret> | undefined;
  const parts: Parts = {
    catalog,
    access: options.access,
    blobs: options.blobs,
    log,
    limits,
    clock,
    answers: new Answers(catalog.generations, limits.maxAnswerBytes),
    gate: new UploadGate(limits.maxActiveUploads),
    uploadKey: () => (key ??= readUploadKey(catalog)),
  };
  const expire = expireUploads(parts);

  async function answer(
    request: Request,
    peer: Peer,
    asked: { readonly route: Route; readonly query: URLSearchParams; readonly memoryKey: string | undefined },
  ): Promise<Response> {
    const { route, query, memoryKey } = asked;
    try {
      if (route.kind === "token") return await token(parts, request, peer);
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

async function readUploadKey(catalog: Catalog): Promise<Secret> {
  return catalog.sealedSecrets.readOrCreate(
    "upload-ids",
    () => new Secret(Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url")),
  );
}

function token(parts: Parts, request: Request, peer: Peer): Promise<Response> {
  allowMethods(request, "GET", "POST");
  return answerToken(parts.access, request, peer.address);
}

function dispatch(parts: Parts, exchange: Exchange, route: Route): Response | Promise<Response> {
  const { request, caller } = exchange;
  const { method } = request;
  const isAnonymous = caller.principal.kind === "anonymous";
  if (!("repository" in route)) {
    if (isAnonymous) throw new AppError("UNAUTHORIZED", "a login is needed");
    if (route.kind === "catalog") {
      allowMethods(request, "GET", "HEAD");
      return listCatalog(parts, exchange);
    }
    if (route.kind === "unknown") throw new AppError("NOT_FOUND", "there is nothing at this address");
    allowMethods(request, "GET", "HEAD");
    return new Response("{}", {
      headers: {
        "content-type": "application/json",
        "docker-distribution-api-version": "registry/2.0",
      },
    });
  }
  const repository = parseRepositoryName(route.repository);
  const allow = (action: "pull" | "push" | "delete"): void =>
    parts.access.authorize(caller, action, repository);
  const isRead = method === "GET" || method === "HEAD";

  switch (route.kind) {
    case "manifest":
      if (isRead) {
        allow("pull");
        return getManifest(parts, exchange, repository, route.reference);
      }
      if (method === "PUT") {
        allow("push");
        return putManifest(parts, exchange, repository, route.reference);
      }
      allowMethods(request, "DELETE", "GET", "HEAD", "PUT");
      allow("delete");
      return deleteManifest(parts, repository, route.reference);
    case "blob":
      if (isRead) {
        allow("pull");
        return getBlob(parts, exchange, repository, route.reference);
      }
      allowMethods(request, "DELETE", "GET", "HEAD");
      allow("delete");
      return deleteBlob(parts, repository, route.reference);
    case "uploads":
      allowMethods(request, "POST");
      allow("push");
      return startUpload(parts, exchange, repository);
    case "upload":
      // Its owner drops an upload with the right to push: that is what Podman does after a mount that was not taken.
      allowMethods(request, "PATCH", "PUT", "GET", "HEAD", "DELETE");
      allow("push");
      if (method === "PATCH") return continueUpload(parts, exchange, repository, route.id);
      if (method === "PUT") return endUpload(parts, exchange, repository, route.id);
      if (method === "DELETE") return cancelUpload(parts, exchange, repository, route.id);
      return getUpload(parts, exchange, repository, route.id);
    case "tags":
      allowMethods(request, "GET", "HEAD");
      allow("pull");
      return listTags(parts, exchange, repository);
    case "referrers":
      allowMethods(request, "GET", "HEAD");
      allow("pull");
      return listReferrers(parts, exchange, repository, route.reference);
  }
}

function allowMethods(request: Request, ...methods: readonly string[]): void {
  if (methods.includes(request.method)) return;
  throw new AppError("METHOD_NOT_ALLOWED", `${request.method.slice(0, 20)} is not for this address`, {
    details: { headers: { allow: methods.join(", ") } },
  });
}
