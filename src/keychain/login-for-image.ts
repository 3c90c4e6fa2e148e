import { AppError } from "#core";
import type { Login, WharfConfig } from "#logins";
import { parseReference, type Reference } from "#oci";

/**
 * The login of wharf.yaml for an image: of those whose registry and path cover it, the one with the longest path; undefined where none
 * does. Paths are compared by whole segments: `team` does not cover `teamwork/app`. Throws LOGINS_COLLIDE where deliveries split
 * several logins for the same images, so that none of them is the one.
 */
export function loginForImage(config: WharfConfig, image: string): Login | undefined {
  const reference = parseReference(image);
  const covering = [...config.logins.values()]
    .filter((login) => isLoginFor(login, reference))
    .sort((a, b) => depth(b) - depth(a));
  const [best, next] = covering;
  if (best !== undefined && next !== undefined && depth(best) === depth(next))
    throw new AppError("LOGINS_COLLIDE", `logins ${best.name} and ${next.name} are both for this image`, {
      hint: "say which one by its name",
    });
  return best;
}

/** Does a login's registry and path cover this image. */
export function isLoginFor(
  login: Pick<Login, "registry" | "path">,
  reference: Pick<Reference, "registry" | "repository">,
): boolean {
  if (login.registry !== reference.registry) return false;
  return login.path === undefined || `${reference.repository}/`.startsWith(`${login.path}/`);
}

function depth(login: Login): number {
  return login.path === undefined ? 0 : login.path.split("/").length;
}
