import { AppError, type Logger } from "#core";
import type { Peer } from "#registry";
import { isLoopbackHost } from "#system";
import type { Answer } from "./listener.ts";
import type { Metrics } from "./metrics.ts";
import type { NetworkList } from "./options/network-list.ts";
import { DirectPeer, readForwardedPeer } from "./peer.ts";
import { renderProblem } from "./problem.ts";
import type { Area } from "./rooms.ts";

const SLASH = 47;
const REGISTRY = 0;
const API = 1;
const SITE = 2;

export interface DispatchParts {
  readonly registry: Area;
  readonly api: () => Promise<Area>;
  /** Health, metrics, home page: by path without query. */
  readonly site: (path: string, request: Request, peer: Peer) => Response | Promise<Response>;
  readonly secure: boolean;
  readonly behindProxy: NetworkList;
  /** --url. */
  readonly publicUrl: string | undefined;
  /** With proxies and without TLS: whether those who come past the proxies are served all the same. */
  readonly insecureHttp: boolean;
  readonly metrics: Metrics;
  /** Given where every request is to be logged. */
  readonly accessLog: Logger | undefined;
}

/** Sends each request to the part that answers it. On the way to `/v2/` there is a look at the address's text, one object, and an addition. */
export function createDispatch(parts: DispatchParts): Answer {
  const { metrics, registry, secure, behindProxy } = parts;
  const scheme = secure ? "https://".length : "http://".length;
  const isForwarded = behindProxy.size > 0;
  const isProxyOnly = isForwarded && !secure && !parts.insecureHttp;

  const counted = (area: number, answer: Response | Promise<Response>): Response | Promise<Response> => {
    if (answer instanceof Promise)
      return answer.then((response) => {
        metrics.count(area, response.status);
        return response;
      });
    metrics.count(area, answer.status);
    return answer;
  };

  const route: Answer = (request, source) => {
    const { url } = request;
    const at = pathStart(url, scheme);
    const direct = new DirectPeer(source, request, secure);
    if (isProxyOnly && !isSite(url.slice(at)) && !mayComeDirectly(direct.address, behindProxy))
      return counted(SITE, renderProblem(cameDirectly()));
    const peer = isForwarded
      ? readForwardedPeer(direct, request.headers, behindProxy, parts.publicUrl)
      : direct;
    // Without a usable Host there is only a path, and the rooms need to know what they were called.
    if (at === 0 && !isSite(url)) return counted(SITE, renderProblem(hostNeeded()));
    if (url.startsWith("/v2/", at)) return counted(REGISTRY, registry.fetch(request, peer));
    const path = pathOf(url, at);
    if (path === "/v2") return counted(REGISTRY, registry.fetch(request, peer));
    if (path.startsWith("/api/")) return counted(API, answerApi(parts.api, request, peer));
    return counted(SITE, parts.site(path, request, peer));
  };
  return parts.accessLog === undefined ? route : logged(route, parts.accessLog, scheme);
}

async function answerApi(load: DispatchParts["api"], request: Request, peer: Peer): Promise<Response> {
  return (await load()).fetch(request, peer);
}

/** Where the path begins: Bun gives the path alone when the Host header is missing (HTTP/1.0 health checks) or malformed. */
function pathStart(url: string, scheme: number): number {
  return url.charCodeAt(0) === SLASH ? 0 : url.indexOf("/", scheme);
}

function isSite(path: string): boolean {
  return !path.startsWith("/v2") && !path.startsWith("/api/");
}

function mayComeDirectly(address: string, proxies: NetworkList): boolean {
  return proxies.has(address) || isLoopbackHost(address);
}

/** Whoever comes past the proxy sends the password in the clear; health checks do not. */
function cameDirectly(): AppError {
  return new AppError("DENIED", "this registry is served in plain HTTP to its proxy only", {
    hint: "use the address of the proxy, which speaks TLS",
  });
}

function hostNeeded(): AppError {
  return new AppError("INVALID_INPUT", "the Host header is missing or malformed", {
    hint: "send the host that the registry is called by",
  });
}

/** The path alone: a query may hold what is nobody's business in a log. */
function pathOf(url: string, at: number): string {
  const query = url.indexOf("?", at);
  return query === -1 ? url.slice(at) : url.slice(at, query);
}

function logged(route: Answer, log: Logger, scheme: number): Answer {
  return async (request, source) => {
    const began = performance.now();
    const { address } = new DirectPeer(source, request, false);
    const response = await route(request, source);
    log.debug("request", {
      method: request.method,
      path: pathOf(request.url, pathStart(request.url, scheme)),
      status: response.status,
      ms: Math.round((performance.now() - began) * 10) / 10,
      address,
    });
    return response;
  };
}
