import { AppError, type Context } from "#core";
import type { Fetch } from "#system";
import type { RegistryAnswer, RegistryRequest } from "./contract.ts";

const MAX_REDIRECTS = 10;

/** What is sent at the first hop; a redirect to another origin loses `authorization`. */
export interface Hop {
  readonly url: URL;
  readonly request: Omit<RegistryRequest, "url" | "scopes" | "isRepeatable">;
  readonly authorization: string | undefined;
  readonly ca: string | undefined;
}

/**
 * Asks and follows redirects. Authorization goes to the first origin alone (scheme, host and port): distribution-spec forbids
 * more, and CVE-2026-50151 and its kin show why. TLS is never left. Throws REGISTRY_FAILED for a redirect that cannot be followed.
 */
export async function askFollowing(context: Context, fetch: Fetch, first: Hop): Promise<RegistryAnswer> {
  let { url, authorization } = first;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const { headers, isSecret = false, ...request } = first.request;
    const answer = await fetch(url.href, {
      ...request,
      headers: { ...headers, ...(authorization === undefined ? {} : { authorization }) },
      signal: context.signal,
      ...(first.ca === undefined ? {} : { ca: first.ca }),
    });
    const next = redirectTarget(answer.status, answer.headers.get("location"), url);
    if (next === undefined) return { ...answer, url: url.href };
    await answer.discard();
    const isRead = request.method === "GET" || request.method === "HEAD";
    const keepsMethod = isRead || answer.status === 307 || answer.status === 308;
    if (!keepsMethod || request.body instanceof ReadableStream) {
      throw new AppError("REGISTRY_FAILED", `${url.host} sends a ${request.method} on to ${next.host}`, {
        hint: "check the registry's name, and whether it wants https",
      });
    }
    if (url.protocol === "https:" && next.protocol !== "https:") {
      throw new AppError("REGISTRY_FAILED", `${url.host} sends us on to ${next.host} without TLS`);
    }
    if (next.origin !== url.origin) {
      if (isSecret) {
        throw new AppError(
          "REGISTRY_FAILED",
          `${url.host} sends a login on to ${next.host}; it was not sent there`,
        );
      }
      authorization = undefined;
    }
    url = next;
  }
  throw new AppError("REGISTRY_FAILED", `${first.url.host} redirects without end`);
}

function redirectTarget(status: number, location: string | null, from: URL): URL | undefined {
  if (![301, 302, 303, 307, 308].includes(status) || location === null) return undefined;
  const target = URL.parse(location, from.href);
  const isWeb = target?.protocol === "https:" || target?.protocol === "http:";
  if (target === null || !isWeb || target.username !== "" || target.password !== "") {
    throw new AppError("REGISTRY_FAILED", `${from.host} redirects to something that is not an address`);
  }
  return target;
}
