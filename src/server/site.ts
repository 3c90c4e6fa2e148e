import type { Access } from "#access";
import { AppError, toAppError } from "#core";
import type { Peer } from "#registry";
import { isLoopbackHost } from "#system";
import { type HomeFacts, renderHomePage } from "./home-page.ts";
import type { Gauges, Metrics } from "./metrics.ts";
import type { NetworkList } from "./options/network-list.ts";
import type { ServeOptions } from "./options/parse-serve-options.ts";
import { methodNotAllowed, notFound, renderProblem, safeHeaders } from "./problem.ts";
import type { Readiness } from "./readiness.ts";

export interface SiteParts {
  readonly readiness: () => Promise<Readiness>;
  readonly metrics: Metrics;
  readonly gauges: () => Promise<Gauges>;
  readonly whoMayMeasure: ServeOptions["metrics"];
  readonly behindProxy: NetworkList;
  /** Who sent an Authorization header; throws what it throws for a wrong login. */
  readonly authenticate: Access["authenticate"];
  readonly home: () => HomeFacts;
  /** The own CA's certificate, PEM. */
  readonly caCertificate: string | undefined;
}

/** Answers what the listening process itself has to say: health, metrics, the CA's certificate and the home page. */
export function createSite(parts: SiteParts) {
  return async (path: string, request: Request, peer: Peer): Promise<Response> => {
    const answer = pages[path];
    if (answer === undefined) return notFound();
    if (request.method !== "GET" && request.method !== "HEAD") return methodNotAllowed("GET, HEAD");
    try {
      return await answer(parts, request, peer);
    } catch (cause) {
      return renderRefusal(toAppError(cause));
    }
  };
}

type Page = (parts: SiteParts, request: Request, peer: Peer) => Response | Promise<Response>;

const pages: Readonly<Record<string, Page>> = {
  // The process is alive: answers while anything does, so that nobody restarts it for a full disk.
  "/healthz": () => plain("ok\n"),
  "/readyz": async (parts) => {
    const readiness = await parts.readiness();
    return new Response(`${JSON.stringify(readiness)}\n`, {
      status: readiness.ready ? 200 : 503,
      headers: {
        ...safeHeaders,
        "content-type": "application/json",
        ...(readiness.ready ? {} : { "retry-after": "5" }),
      },
    });
  },
  "/metrics": async (parts, request, peer) => {
    await authorizeMetrics(parts, request, peer);
    return plain(parts.metrics.render(await parts.gauges()), "text/plain; version=0.0.4; charset=utf-8");
  },
  "/ca.crt": (parts) =>
    parts.caCertificate === undefined ? notFound() : plain(parts.caCertificate, "application/x-pem-file"),
  "/": (parts) => renderHomePage(parts.home()),
};

async function authorizeMetrics(parts: SiteParts, request: Request, peer: Peer): Promise<void> {
  if (parts.whoMayMeasure === "everybody") return;
  // A proxy of this machine makes everybody look local, one that says for whom it asks and one that does not.
  const isForwarded = request.headers.has("x-forwarded-for") || request.headers.has("forwarded");
  const isLocal = isLoopbackHost(peer.address) && !parts.behindProxy.has(peer.address) && !isForwarded;
  if (parts.whoMayMeasure === "local" && isLocal) return;
  const caller = await parts.authenticate(request.headers.get("authorization") ?? undefined, peer.address);
  if (caller.principal.kind === "anonymous")
    throw new AppError("UNAUTHORIZED", "metrics need the login of a site admin", {
      hint: "send a username and a token by Basic authentication, or start the server with --metrics everybody",
    });
  // A Bearer token is for repositories and nothing else.
  if (caller.principal.kind !== "user" || !caller.principal.admin || caller.grants !== undefined)
    throw new AppError("DENIED", "metrics are for site admins");
}

function renderRefusal(error: AppError): Response {
  const seconds = error.details?.["retryAfterSeconds"];
  return renderProblem(error, {
    ...(error.row.status === 401 ? { "www-authenticate": 'Basic realm="wharf", charset="UTF-8"' } : {}),
    ...(typeof seconds === "number" ? { "retry-after": String(seconds) } : {}),
  });
}

function plain(text: string, type = "text/plain; charset=utf-8"): Response {
  return new Response(text, { headers: { ...safeHeaders, "content-type": type } });
}
