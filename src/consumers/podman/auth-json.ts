import { isMistypedSection, mistypedEntries } from "../auth-entry.ts";
import { authsOf } from "../auth-file.ts";
import type { JsonObject } from "../json-text.ts";
import type { AuthPath } from "./paths.ts";

const PODMAN_FIELDS = ["auth", "identitytoken"];

/** What of a file Go's decoder fails at, so that podman reads nothing of it; undefined when all is well. */
export function mistypedIn(root: JsonObject, form: AuthPath["form"]): string | undefined {
  if (form === "dockercfg") return mistypedEntries(root.members, PODMAN_FIELDS)[0];
  for (const section of ["auths", "credHelpers"]) if (isMistypedSection(root, section)) return section;
  return mistypedEntries(authsOf(root)?.members ?? [], PODMAN_FIELDS)[0];
}
