import type { ReferrerRow } from "#catalog";
import { AppError } from "#core";
import { isTag, mediaTypes, parseDigest } from "#oci";
import type { Exchange, Parts } from "./exchange.ts";
import { MAX_PAGE, MAX_REFERRERS_BYTES } from "./limits.ts";
import { parsePageRequest, renderNextLink } from "./paging.ts";
import { json } from "./success.ts";

/** `tags/list` (end-8a, end-8b). `last` need not be a tag that is there. */
export async function listTags(parts: Parts, exchange: Exchange, repository: string): Promise<Response> {
  const { limit, last } = parsePageRequest(exchange.query);
  if (last !== undefined && last !== "" && !isTag(last))
    throw new AppError("INVALID_INPUT", "last is not a tag");
  const found = await parts.catalog.content.listTags(repository, { after: last, limit: limit + 1 });
  if (found === undefined) throw new AppError("REPOSITORY_UNKNOWN", `there is nothing in ${repository} yet`);
  const tags = found.slice(0, limit);
  return json(
    { name: repository, tags },
    linkAfter(`/v2/${repository}/tags/list`, limit, found.length > limit ? tags.at(-1) : undefined),
  );
}

/** `_catalog`: what the caller may pull from. */
export async function listCatalog(parts: Parts, exchange: Exchange): Promise<Response> {
  const visibleTo = parts.access.catalogView(exchange.caller);
  const { limit, last } = parsePageRequest(exchange.query);
  const found = await parts.catalog.content.listRepositories({ after: last, limit: limit + 1 }, visibleTo);
  const repositories = found.slice(0, limit);
  return json(
    { repositories },
    linkAfter("/v2/_catalog", limit, found.length > limit ? repositories.at(-1) : undefined),
  );
}

function linkAfter(path: string, limit: number, last: string | undefined): Record<string, string> {
  return last === undefined ? {} : { link: renderNextLink(path, { n: String(limit), last }) };
}

/** `referrers` (end-12a, end-12b): an index, empty where there are none, whatever the repository or subject. */
export async function listReferrers(
  parts: Parts,
  exchange: Exchange,
  repository: string,
  text: string,
): Promise<Response> {
  const subject = parseDigest(text).text;
  const { limit: asked, last } = parsePageRequest(exchange.query);
  const limit = asked === 0 ? MAX_PAGE : asked;
  const artifactType = exchange.query.get("artifactType") ?? undefined;
  const found = await parts.catalog.content.listReferrers(repository, subject, {
    after: last,
    limit: limit + 1,
    artifactType,
    maxBytes: MAX_REFERRERS_BYTES,
  });
  const manifests = cut(found.slice(0, limit).map(toDescriptor));
  const next = manifests.length < found.length ? manifests.at(-1)?.digest : undefined;
  const link = renderNextLink(`/v2/${repository}/referrers/${subject}`, {
    ...(artifactType === undefined ? {} : { artifactType }),
    n: String(limit),
    last: next ?? "",
  });
  return json(
    { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests },
    {
      ...(artifactType === undefined ? {} : { "oci-filters-applied": "artifactType" }),
      ...(next === undefined ? {} : { link }),
    },
    mediaTypes.ociIndex,
  );
}

function toDescriptor(row: ReferrerRow) {
  return {
    mediaType: row.mediaType,
    digest: row.digest,
    size: row.sizeBytes,
    ...(row.artifactType === undefined ? {} : { artifactType: row.artifactType }),
    ...(row.annotations === undefined ? {} : { annotations: row.annotations }),
  };
}

/** Annotations may be long: a page ends before it is larger than what clients read, but has one entry at least. */
function cut<T>(descriptors: readonly T[]): T[] {
  const kept: T[] = [];
  let bytes = 0;
  for (const descriptor of descriptors) {
    bytes += JSON.stringify(descriptor).length;
    if (bytes > MAX_REFERRERS_BYTES && kept.length > 0) break;
    kept.push(descriptor);
  }
  return kept;
}
