import type { Logger } from "#core";
import type { Peer } from "#registry";
import type { Answer } from "./listener.ts";
import type { Metrics } from "./metrics.ts";
import type { NetworkList } from "./options/network-list.ts";
import { DirectPeer, readForwardedPeer } from "./peer.ts";
import { notFound } from "./problem.ts";
import type { Area } from "./rooms.ts";

const REGISTRY = 0;
const API = 1;
const SITE = 2;

export interface DispatchParts {
  readonly registry: Area | undefined;
  readonly api: () => Promise<Area | undefined>;
  /** Health, metrics, home page: by path without query. */
  readonly site: (path: string, request: Request, peer: Peer) => Response | Promise<Response>;
  readonly secure: boolean;
  readonly behindProxy: NetworkList;
  readonly metrics: Metrics;
  /** Given where every request is to be logged. */
  readonly accessLog: Logger | undefined;
}

/** Sends each request to the part that answers it. On the way to `/v2/` there is a look at the address's text, one object, and an addition. */
export function createDispatch(parts: DispatchParts): Answer {
  const { metrics, registry, secure, behindProxy } = parts;
  const scheme = secure ? "https://".length : "http://".length;
  const isForwarded = behindProxy.size > 0;

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
    const at = url.indexOf("/", scheme);
    const direct = new DirectPeer(source, request, secure);
    const peer = isForwarded ? readForwardedPeer(direct, request.headers, behindProxy) : direct;
    if (url.startsWith("/v2/", at) && registry !== undefined)
      return counted(REGISTRY, registry.fetch(request, peer));
    const path = pathOf(url, at);
    if (path === "/v2" && registry !== undefined) return counted(REGISTRY, registry.fetch(request, peer));
    if (path.startsWith("/api/")) return counted(API, answerApi(parts.api, request, peer));
    return counted(SITE, parts.site(path, request, peer));
  };
  return parts.accessLog === undefined ? route : logged(route, parts.accessLog, scheme);
}

async function answerApi(load: DispatchParts["api"], request: Request, peer: Peer): Promise<Response> {
  const api = await load();
  return api === undefined ? notFound() : api.fetch(request, peer);
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
      path: pathOf(request.url, request.url.indexOf("/", scheme)),
      status: response.status,
      ms: Math.round((performance.now() - began) * 10) / 10,
      address,
    });
    return response;
  };
}
