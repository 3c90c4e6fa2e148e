/** What a path under `/v2/` names. Structure only: names, digests and tags are not checked yet. */
export type Route =
  | { readonly kind: "base" | "token" | "catalog" | "unknown" }
  | { readonly kind: "uploads" | "tags"; readonly repository: string }
  | { readonly kind: "upload"; readonly repository: string; readonly id: string }
  | {
      readonly kind: "manifest" | "blob" | "referrers";
      readonly repository: string;
      /** Tag or digest. */
      readonly reference: string;
    };

const UNKNOWN: Route = { kind: "unknown" };
const FIXED: ReadonlyMap<string, Route> = new Map<string, Route>([
  ["", { kind: "base" }],
  ["token", { kind: "token" }],
  ["_catalog", { kind: "catalog" }],
  ["_catalog/", { kind: "catalog" }],
]);

/**
 * Reads the path of a URL that begins with `/v2/`. From the right, because a repository may be called `a/blobs/manifests`.
 * Percent signs are decoded once, here; nothing later decodes again (CVE-2020-29662: a second spelling of a path).
 */
export function parseRoute(path: string): Route {
  let rest = path.slice("/v2/".length);
  if (rest.includes("%")) {
    try {
      rest = decodeURIComponent(rest);
    } catch {
      return UNKNOWN;
    }
  }
  const fixed = FIXED.get(rest);
  if (fixed !== undefined) return fixed;
  const slash = rest.lastIndexOf("/");
  const head = rest.slice(0, slash);
  const tail = rest.slice(slash + 1);
  if (slash <= 0) return UNKNOWN;
  if (head.endsWith("/manifests"))
    return { kind: "manifest", repository: head.slice(0, -"/manifests".length), reference: tail };
  if (head.endsWith("/blobs/uploads")) {
    const repository = head.slice(0, -"/blobs/uploads".length);
    return tail === "" ? { kind: "uploads", repository } : { kind: "upload", repository, id: tail };
  }
  if (head.endsWith("/blobs")) {
    const repository = head.slice(0, -"/blobs".length);
    return tail === "uploads"
      ? { kind: "uploads", repository }
      : { kind: "blob", repository, reference: tail };
  }
  if (head.endsWith("/tags") && tail === "list")
    return { kind: "tags", repository: head.slice(0, -"/tags".length) };
  if (head.endsWith("/referrers"))
    return { kind: "referrers", repository: head.slice(0, -"/referrers".length), reference: tail };
  return UNKNOWN;
}
