import { isAppError, Secret } from "#core";
import { enrootHosts, hasKnownRealm } from "../enroot/hosts.ts";
import { parseNetrc } from "../enroot/netrc.ts";
import type { FoundLogins, RawLogin, Unusable } from "./contract.ts";
import { gather, NOTHING } from "./gathered.ts";

const SPLIT = ["docker.io", "nvcr.io", "registry.gitlab.com"].filter(hasKnownRealm);

/**
 * The logins of Enroot's `.credentials`: lines for a registry and for the host that hands out its tokens are one login. A password that
 * Enroot would give to a shell is not taken.
 */
export function netrcLogins(text: string, path: string, firstLine: number): FoundLogins {
  let blocks: ReturnType<typeof parseNetrc>;
  try {
    blocks = parseNetrc(text, path);
  } catch (cause) {
    if (!isAppError(cause, "FILE_INVALID")) throw cause;
    return { ...NOTHING, unusable: [{ where: path, why: "a double quote is opened and not closed" }] };
  }
  const raw: RawLogin[] = [];
  const unusable: Unusable[] = [];
  for (const block of blocks) {
    const where = `${path}:${firstLine + block.line - 1}`;
    const { login, password } = block;
    if (block.isDefault || login === undefined || password === undefined) {
      unusable.push({
        where,
        why: block.isDefault ? "default names no registry" : "it has no login or no password",
      });
      continue;
    }
    if (!block.quoted && password.startsWith("$(")) {
      unusable.push({ where, why: "its password is a command, which is not run" });
      continue;
    }
    const username = login.replace(/^(["'])(.*)\1$/, "$2").replaceAll("\\$", "$");
    raw.push({ registry: registryOf(block.host), username, secret: new Secret(password), where });
  }
  return gather(raw, unusable);
}

function registryOf(host: string): string {
  const bare = host.replace(/:\d+$/, "");
  return (
    SPLIT.find((registry) => {
      const { own, realms } = enrootHosts(registry);
      return own.includes(bare) || realms.includes(bare);
    }) ?? host
  );
}
