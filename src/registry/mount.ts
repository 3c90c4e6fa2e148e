import type { Caller } from "#access";
import type { Parts } from "./exchange.ts";
import { hasBytes } from "./has-bytes.ts";

const MAX_SOURCES = 100;

/**
 * Links `repository` to a blob that the caller may pull elsewhere; false when there is none, whatever the reason.
 * With a source, that one alone. Without: any repository that holds the blob, if the caller may pull from it. Within the same project the
 * caller's own rights decide, not those of its Bearer token: without a source a client cannot know which scope to ask for, and with one many
 * clients (the conformance program too) go on with the token that they hold for the target.
 */
export async function mountBlob(
  parts: Parts,
  caller: Caller,
  mount: { readonly digest: string; readonly repository: string; readonly source: string | undefined },
): Promise<boolean> {
  const { access, catalog } = parts;
  const { digest, repository, source } = mount;
  const ungranted: Caller = { ...caller, grants: undefined };
  if (source !== undefined) {
    const asking = projectOf(source) === projectOf(repository) ? ungranted : caller;
    return access.allows(asking, "pull", source) && mountWhole(parts, mount, source);
  }
  for (const holder of await catalog.content.listHolders(digest, MAX_SOURCES)) {
    const asking = projectOf(holder) === projectOf(repository) ? ungranted : caller;
    if (!access.allows(asking, "pull", holder)) continue;
    if (await mountWhole(parts, mount, holder)) return true;
  }
  return false;
}

/** A link to lost bytes does no harm, and the upload that the client goes on with makes them whole. */
async function mountWhole(
  parts: Parts,
  { digest, repository }: { readonly digest: string; readonly repository: string },
  holder: string,
): Promise<boolean> {
  const { content } = parts.catalog;
  if (!(await content.mountBlob(repository, digest, holder))) return false;
  const place = await content.findBlob(repository, digest);
  return place !== undefined && hasBytes(parts, place);
}

function projectOf(repository: string): string {
  return repository.split("/", 1)[0] ?? "";
}
