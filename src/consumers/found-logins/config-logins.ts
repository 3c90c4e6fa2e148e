import { isAppError, Secret } from "#core";
import { parseContainerdText, pluginName, pluginTable, readRegistryTable } from "../containerd/config.ts";
import { definitionRegistry, parseHeaders } from "../faults/definition-faults.ts";
import { parseRegistries } from "../k3s/registries-yaml.ts";
import { loginOf, type RegistryAuth } from "../registry-auth.ts";
import type { FoundLogins, RawLogin, Unusable } from "./contract.ts";
import { gather, NOTHING } from "./gathered.ts";

/** The logins of containerd's config.toml, whichever version's plugin they stand under. */
export function containerdLogins(text: string, path: string): FoundLogins {
  return parsed(path, () => {
    const file = parseContainerdText(text, path);
    return fromAuths(
      path,
      [1, 2, 3].flatMap((version) => [...readRegistryTable(pluginTable(file, pluginName(version))).auths]),
    );
  });
}

/** The logins of k3s' and RKE2's registries.yaml. */
export function registriesLogins(text: string, path: string): FoundLogins {
  return parsed(path, () =>
    fromAuths(
      path,
      [...parseRegistries(text, path).configs].flatMap(([host, { auth }]) =>
        auth === undefined ? [] : [[host, auth] as const],
      ),
    ),
  );
}

/** The login in the header of a definition file of Singularity 2.x. */
export function definitionLogins(text: string, path: string): FoundLogins {
  const headers = parseHeaders(text);
  const value = (name: string): string | undefined => headers.find((header) => header.name === name)?.value;
  const username = value("username");
  const password = value("password");
  if (username === undefined || password === undefined) return NOTHING;
  return gather([
    { registry: definitionRegistry(headers), username, secret: new Secret(password), where: path },
  ]);
}

function fromAuths(
  path: string,
  auths: readonly (readonly [string, RegistryAuth | "mistyped"])[],
): FoundLogins {
  const raw: RawLogin[] = [];
  const unusable: Unusable[] = [];
  for (const [host, auth] of auths) {
    const where = `${path}: ${host}`;
    const login = auth === "mistyped" ? "broken" : loginOf(auth);
    if (login === "broken") unusable.push({ where, why: "its auth cannot be decoded" });
    else if (login !== undefined) raw.push({ registry: host, ...login, where });
  }
  return gather(raw, unusable);
}

function parsed(path: string, read: () => FoundLogins): FoundLogins {
  try {
    return read();
  } catch (cause) {
    if (!isAppError(cause, "FILE_INVALID")) throw cause;
    return { ...NOTHING, unusable: [{ where: path, why: "it does not parse; `wharf doctor` says where" }] };
  }
}
