import { AppError } from "#core";
import { parseRepositoryName } from "#oci";
import { deleteBlob, getBlob } from "./blobs.ts";
import type { Peer } from "./contract.ts";
import type { Exchange, Parts } from "./exchange.ts";
import { listCatalog, listReferrers, listTags } from "./lists.ts";
import { deleteManifest, getManifest, putManifest } from "./manifests.ts";
import type { Route } from "./route.ts";
import { answerToken } from "./token-endpoint.ts";
import { cancelUpload, continueUpload, endUpload, getUpload, startUpload } from "./uploads.ts";

/** The token endpoint looks at its caller itself. */
export function dispatchToken(parts: Parts, request: Request, peer: Peer): Promise<Response> {
  allowMethods(request, "GET", "POST");
  return answerToken(parts.access, request, peer.address);
}

/**
 * Sends a request of a known caller to its endpoint, after the one decision about it. Everything is refused that is not named here.
 * Throws METHOD_NOT_ALLOWED, NAME_INVALID, what `access` throws, and what the endpoint does.
 */
export function dispatch(parts: Parts, exchange: Exchange, route: Route): Response | Promise<Response> {
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
    parts.permissions.authorize(caller, action, repository);
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
