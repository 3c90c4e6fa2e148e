import type { Peer } from "#registry";
import { isLoopbackHost } from "#system";
import { type HomeFacts, renderHomePage } from "./home-page.ts";
import type { Gauges, Metrics } from "./metrics.ts";
import type { ServeOptions } from "./options/parse-serve-options.ts";
import { methodNotAllowed, notFound, safeHeaders } from "./problem.ts";
import type { Readiness } from "./readiness.ts";

export interface SiteParts {
  readonly readiness: () => Promise<Readiness>;
  readonly metrics: Metrics;
  readonly gauges: () => Promise<Gauges>;
  readonly whoMayMeasure: ServeOptions["metrics"];
  /** Throws what `access` throws for a wrong login; false for a caller who is no site admin. */
  readonly isAdmin: (authorization: string | undefined, address: string) => Promise<boolean>;
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
    return answer(parts, request, peer);
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
    if (!(await mayMeasure(parts, request, peer))) return notFound();
    return plain(parts.metrics.render(await parts.gauges()), "text/plain; version=0.0.4; charset=utf-8");
  },
  "/ca.crt": (parts) =>
    parts.caCertificate === undefined ? notFound() : plain(parts.caCertificate, "application/x-pem-file"),
  "/": (parts) => renderHomePage(parts.home()),
};

async function mayMeasure(parts: SiteParts, request: Request, peer: Peer): Promise<boolean> {
  if (parts.whoMayMeasure === "everybody") return true;
  // A proxy of this machine that was not declared by --behind-proxy would make everybody look local: forwarded requests are not.
  const isForwarded = request.headers.has("x-forwarded-for") || request.headers.has("forwarded");
  if (parts.whoMayMeasure === "local" && isLoopbackHost(peer.address) && !isForwarded) return true;
  return parts.isAdmin(request.headers.get("authorization") ?? undefined, peer.address);
}

function plain(text: string, type = "text/plain; charset=utf-8"): Response {
  return new Response(text, { headers: { ...safeHeaders, "content-type": type } });
}
