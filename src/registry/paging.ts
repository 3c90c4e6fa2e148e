import { AppError } from "#core";
import { MAX_PAGE } from "./limits.ts";

/** Which part of a list is asked for. */
export interface PageRequest {
  readonly limit: number;
  readonly last: string | undefined;
}

/** Reads `n` and `last`; INVALID_INPUT for an `n` that is no count. More than a page is cut to a page. */
export function parsePageRequest(query: URLSearchParams): PageRequest {
  const n = query.get("n");
  const last = query.get("last") ?? undefined;
  if (n === null || n === "") return { limit: MAX_PAGE, last };
  if (!/^\d{1,15}$/.test(n))
    throw new AppError("INVALID_INPUT", "n is not a number of entries", {
      hint: `use 0 to ${MAX_PAGE}`,
    });
  return { limit: Math.min(Number(n), MAX_PAGE), last };
}

/** The Link header to what comes next (RFC 8288). `path` and the keys of `query` are ours; the values are encoded. */
export function renderNextLink(path: string, query: Readonly<Record<string, string>>): string {
  const search = Object.entries(query).map(([key, value]) => `${key}=${encodeURIComponent(value)}`);
  return `<${path}?${search.join("&")}>; rel="next"`;
}
