import { AppError, type Context } from "#core";
import { type Descriptor, isRepositoryName, isTag, parseDigest, parseManifest } from "#oci";
import type { Connection } from "./connection.ts";
import type { RegistryAnswer } from "./contract.ts";
import { getManifest } from "./manifests.ts";
import { pullScope } from "./scopes.ts";

const PAGE = 1000;
const MAX_PAGES = 10_000;
const MAX_PAGE_BYTES = 16_777_216;

export async function listTags(
  context: Context,
  connection: Connection,
  repository: string,
): Promise<readonly string[] | undefined> {
  const pages = await readPages(context, connection, {
    path: `/v2/${repository}/tags/list?n=${PAGE}`,
    scope: pullScope(repository),
    doing: `list the tags of ${repository}`,
  });
  return pages && namesOf(pages, "tags", isTag, connection.registry);
}

export async function listRepositories(
  context: Context,
  connection: Connection,
): Promise<readonly string[] | undefined> {
  const pages = await readPages(context, connection, {
    path: `/v2/_catalog?n=${PAGE}`,
    scope: "registry:catalog:*",
    doing: "list its repositories",
  });
  return pages && namesOf(pages, "repositories", isRepositoryName, connection.registry);
}

export async function referrers(
  context: Context,
  connection: Connection,
  repository: string,
  subject: { readonly digest: string; readonly artifactType?: string },
): Promise<readonly Descriptor[]> {
  const { algorithm, hex, text } = parseDigest(subject.digest);
  const { artifactType } = subject;
  const filter = artifactType === undefined ? "" : `?artifactType=${encodeURIComponent(artifactType)}`;
  const pages = await readPages(context, connection, {
    path: `/v2/${repository}/referrers/${text}${filter}`,
    scope: pullScope(repository),
    doing: `list what refers to an image of ${repository}`,
  });
  // distribution-spec, "Referrers Tag Schema": an index under a tag named after the digest, where there is no API.
  const found =
    pages ?? (await fallbackPages(context, connection, repository, `${algorithm}-${hex}`.slice(0, 128)));
  const descriptors = found.flatMap((bytes) => [...parseManifest(bytes).manifests]);
  return artifactType === undefined
    ? descriptors
    : descriptors.filter((descriptor) => descriptor.artifactType === artifactType);
}

async function fallbackPages(
  context: Context,
  connection: Connection,
  repository: string,
  tag: string,
): Promise<Uint8Array[]> {
  const manifest = await getManifest(context, connection, repository, tag);
  return manifest === undefined ? [] : [manifest.bytes];
}

/** The bodies of all pages; undefined for a 404. Follows `Link: <…>; rel="next"` inside the registry alone. */
async function readPages(
  context: Context,
  connection: Connection,
  wanted: { readonly path: string; readonly scope: string; readonly doing: string },
): Promise<Uint8Array[] | undefined> {
  const pages: Uint8Array[] = [];
  const seen = new Set<string>();
  let url: string | undefined = wanted.path;
  while (url !== undefined) {
    const answer: RegistryAnswer = await connection.send(context, {
      method: "GET",
      url,
      scopes: [wanted.scope],
      isRepeatable: true,
    });
    if (answer.status === 404 && pages.length === 0) {
      await answer.discard();
      return undefined;
    }
    if (answer.status !== 200) throw await connection.refusal(answer, wanted.doing);
    seen.add(url);
    pages.push(await answer.readBytes(MAX_PAGE_BYTES));
    url = nextPage(answer);
    if (url !== undefined && (seen.has(url) || pages.length >= MAX_PAGES)) {
      throw new AppError("REGISTRY_FAILED", `${connection.registry} has a list without end`);
    }
  }
  return pages;
}

/** The next page as an absolute URL; undefined at the end. Throws REGISTRY_FAILED when it leads to another place. */
function nextPage(answer: RegistryAnswer): string | undefined {
  const target = /<([^>]*)>\s*;[^,]*\brel="?next"?/i.exec(answer.headers.get("link") ?? "")?.[1];
  if (target === undefined) return undefined;
  const url = URL.parse(target, answer.url);
  if (url === null || url.host !== new URL(answer.url).host) {
    throw new AppError("REGISTRY_FAILED", "the next page of a list is at another place than the first");
  }
  // Behind a proxy that ends TLS many a registry writes http:// here; host and path are what counts.
  url.protocol = new URL(answer.url).protocol;
  return url.href;
}

function namesOf(
  pages: readonly Uint8Array[],
  key: "tags" | "repositories",
  isName: (text: string) => boolean,
  registry: string,
): string[] {
  const names: string[] = [];
  for (const page of pages) {
    let body: unknown;
    try {
      body = JSON.parse(new TextDecoder().decode(page));
    } catch (cause) {
      throw new AppError("REGISTRY_FAILED", `${registry} sent a list that is not JSON`, { cause });
    }
    const list: unknown = (body as Record<string, unknown> | null)?.[key] ?? [];
    if (!Array.isArray(list) || !list.every((name) => typeof name === "string" && isName(name))) {
      throw new AppError("REGISTRY_FAILED", `${registry} sent a list of ${key} that holds something else`);
    }
    names.push(...(list as string[]));
  }
  return names;
}
