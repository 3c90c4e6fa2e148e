import { AppError, type Context } from "#core";
import type { Descriptor } from "#oci";
import { type FetchAnswer, isPublicHost } from "#system";
import type { BlobOrigin } from "../cache/index.ts";

/** Asks an address without any login. */
export type UrlFetch = (
  context: Context,
  url: string,
  headers: Readonly<Record<string, string>>,
) => Promise<FetchAnswer>;

const MAX_URLS = 8;
const MAX_REDIRECTS = 5;

/**
 * Where a foreign layer's maker keeps it, as the manifest says: asked after every registry, never with a login (CVE-2020-15157), over TLS alone,
 * and never at an address of this machine or its network: a manifest must not make us ask those.
 */
export function createUrlOrigin(descriptor: Descriptor, fetchUrl: UrlFetch): BlobOrigin {
  return {
    async open(context, wanted) {
      for (const url of descriptor.urls.slice(0, MAX_URLS)) {
        const range = `bytes=${wanted.offset}-${wanted.offset + wanted.lengthBytes - 1}`;
        const isWhole = wanted.offset === 0 && wanted.lengthBytes === wanted.sizeBytes;
        const answer = await askPublic(context, url, isWhole ? {} : { range }, fetchUrl);
        if (answer === undefined) continue;
        const start = /^bytes (\d+)-/.exec(answer.headers.get("content-range") ?? "")?.[1];
        if (answer.status === 206 && Number(start) === wanted.offset)
          return { from: wanted.offset, to: wanted.offset + wanted.lengthBytes, body: answer.body };
        if (answer.status === 200) return { from: 0, to: wanted.sizeBytes, body: answer.body };
        await answer.discard();
        context.log.warn("a foreign layer is not at its address", { url: plain(url), status: answer.status });
      }
      return undefined;
    },
  };
}

/** undefined for an address that is not asked. */
async function askPublic(
  context: Context,
  first: string,
  headers: Readonly<Record<string, string>>,
  fetchUrl: UrlFetch,
): Promise<FetchAnswer | undefined> {
  let url = URL.parse(first);
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const isAllowed =
      url !== null &&
      url.protocol === "https:" &&
      url.username === "" &&
      url.password === "" &&
      (await isPublicHost(url.hostname));
    if (url === null || !isAllowed) {
      context.log.warn("a foreign layer's address is not asked", { url: plain(url?.href ?? first) });
      return undefined;
    }
    const answer = await fetchUrl(context, url.href, headers);
    const location = answer.headers.get("location");
    if (![301, 302, 303, 307, 308].includes(answer.status) || location === null) return answer;
    await answer.discard();
    url = URL.parse(location, url.href);
  }
  throw new AppError("REGISTRY_FAILED", `the address of a foreign layer redirects without end`);
}

/** Without a query, which may hold a signature. */
function plain(url: string): string {
  return url.split("?", 1)[0]?.slice(0, 300) ?? "";
}
