import type { Caller } from "#access";
import type { Parts } from "./exchange.ts";

const MAX_SOURCES = 100;

/**
 * Links `repository` to a blob that the caller may pull elsewhere; false when there is none, whatever the reason.
 * With a source, that one alone. Without: any repository that holds the blob, if the caller may pull from it. A client cannot know which
 * scope to ask for then, so within the same project the caller's own rights decide, not those of its Bearer token.
 */
export async function mountBlob(
  parts: Parts,
  caller: Caller,
  mount: { readonly digest: string; readonly repository: string; readonly source: string | undefined },
): Promise<boolean> {
  const { access, catalog } = parts;
  const { digest, repository, source } = mount;
  if (source !== undefined)
    return access.allows(caller, "pull", source) && catalog.content.mountBlob(repository, digest, source);
  const ungranted: Caller = { ...caller, grants: undefined };
  for (const holder of await catalog.content.listHolders(digest, MAX_SOURCES)) {
    const asking = projectOf(holder) === projectOf(repository) ? ungranted : caller;
    if (!access.allows(asking, "pull", holder)) continue;
    if (await catalog.content.mountBlob(repository, digest, holder)) return true;
  }
  return false;
}

function projectOf(repository: string): string {
  return repository.split("/", 1)[0] ?? "";
}
