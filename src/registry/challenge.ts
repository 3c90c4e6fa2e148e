import { isRepositoryName } from "#oci";
import type { Peer } from "./contract.ts";
import type { Route } from "./route.ts";

const HOST = /^[A-Za-z0-9._-]{1,253}(?::\d{1,5})?$|^\[[0-9A-Fa-f:.]{2,45}\](?::\d{1,5})?$/;

/** What a refused request is told about itself. */
export interface ChallengeRequest {
  readonly origin: string;
  /** undefined: none is needed, a token of the account will do. */
  readonly scope: string | undefined;
  readonly error: "invalid_token" | "insufficient_scope" | undefined;
}

/**
 * `scheme://host` as the client called us: Enroot looks its login up by the realm's host, so it must be the same one.
 * `fallback` where the Host header is missing or no host.
 */
export function originOf(request: Request, peer: Peer, fallback: string | undefined): string {
  if (peer.origin !== undefined) return peer.origin;
  const host = request.headers.get("host");
  if (host !== null && HOST.test(host)) return `${peer.secure ? "https" : "http"}://${host}`;
  return fallback ?? "http://localhost";
}

/**
 * The one challenge. Without a space after its commas: Enroot reads the third field of the line.
 * The token endpoint is under `/v2/`, so that a proxy which passes the registry on passes this on.
 */
export function renderChallenge(asked: ChallengeRequest): string {
  const service = asked.origin.slice(asked.origin.indexOf("://") + 3);
  const scope = asked.scope === undefined ? "" : `,scope="${asked.scope}"`;
  const error = asked.error === undefined ? "" : `,error="${asked.error}"`;
  return `Bearer realm="${asked.origin}/v2/token",service="${service}"${scope}${error}`;
}

/** The scope that a request needs, needed one first; undefined where none is, or where the name is none (it may hold anything). */
export function scopeOf(method: string, route: Route, query: URLSearchParams): string | undefined {
  if (route.kind === "catalog") return "registry:catalog:*";
  if (!("repository" in route) || !isRepositoryName(route.repository)) return undefined;
  const own = `repository:${route.repository}:`;
  if (route.kind === "uploads") {
    const from = query.get("from");
    const mounts = query.has("mount") && from !== null && from !== route.repository && isRepositoryName(from);
    return `${own}pull,push${mounts ? ` repository:${from}:pull` : ""}`;
  }
  if (route.kind === "upload") return `${own}pull,push`;
  if (method === "DELETE") return `${own}delete`;
  return method === "GET" || method === "HEAD" ? `${own}pull` : `${own}pull,push`;
}
