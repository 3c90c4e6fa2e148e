import { isAppError } from "#core";
import { DOCKER_HUB, parseRegistry, type RegistryName } from "#oci";
import { isPlaceholder } from "../faults/placeholder.ts";
import { renderLogin } from "../faults/secret-argument.ts";
import type { FoundLogin, FoundLogins, RawLogin, Unusable } from "./contract.ts";

/** What one part of a file gave. */
export function gather(raw: readonly RawLogin[], unusable: readonly Unusable[] = []): FoundLogins {
  const logins: FoundLogin[] = [];
  const left: Unusable[] = [...unusable];
  for (const login of raw) {
    const checked = checkLogin(login);
    if ("why" in checked) left.push(checked);
    else logins.push(checked);
  }
  return { logins, unusable: left, references: [] };
}

export function joinFound(found: readonly FoundLogins[]): FoundLogins {
  return {
    logins: found.flatMap(({ logins }) => logins),
    unusable: found.flatMap(({ unusable }) => unusable),
    references: found.flatMap(({ references }) => references),
  };
}

export const NOTHING: FoundLogins = { logins: [], unusable: [], references: [] };

function checkLogin(raw: RawLogin): FoundLogin | Unusable {
  const { where, username, secret } = raw;
  const text = "reveal" in secret ? secret.reveal() : undefined;
  if (
    isPlaceholder(raw.registry) ||
    (isPlaceholder(username) && !/^\$(?:oauthtoken|token|app)$/.test(username))
  )
    return { where, why: "its registry or username only stands for one", isExample: true };
  if (text !== undefined && isPlaceholder(text)) {
    const variable = /^\$\{?([A-Za-z_]\w*)\}?$/.exec(text.trim())?.[1];
    return {
      where,
      why:
        variable === undefined
          ? "its secret only stands for one"
          : `its secret is in the variable ${variable}`,
      command: renderLogin(raw.registry, username),
      isExample: variable === undefined,
    };
  }
  if (username.includes(":"))
    return { where, why: "its username has a colon in it, which no program can send" };
  const name = registryOf(raw.registry);
  if (name === undefined)
    return {
      where,
      why: `${raw.registry.includes("@") ? "its key" : raw.registry.slice(0, 100)} is not one registry`,
    };
  return {
    registry: name.registry,
    path: name.path,
    username,
    secret,
    identityToken: raw.identityToken === true,
    where,
  };
}

/** A registry as programs' keys spell it: schemes, API paths and slashes at the end are taken off. */
function registryOf(key: string): RegistryName | undefined {
  const bare = key
    .trim()
    .replace(/^[a-z][a-z0-9+.-]*:\/\//i, "")
    .replace(/\/+$/, "")
    .replace(/\/v[12]$/, "");
  if (/^(?:hub\.docker\.com|registry\.hub\.docker\.com)$/i.test(bare)) return { registry: DOCKER_HUB };
  try {
    return parseRegistry(bare);
  } catch (cause) {
    // A glob of the kubelet, say: no registry that could be asked.
    if (isAppError(cause)) return undefined;
    throw cause;
  }
}
