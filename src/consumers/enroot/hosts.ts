/**
 * Hosts that a registry's images make Enroot and its curl look up: the registry's own names first, without port, then those of its
 * token endpoints. Beside what was found by asking, these are known (reference: consumers, 6.2).
 */
export interface EnrootHosts {
  readonly own: readonly string[];
  readonly realms: readonly string[];
}

const KNOWN_REALMS: Readonly<Record<string, readonly string[]>> = {
  "docker.io": ["auth.docker.io"],
  // nvcr.io names itself at first and this one after an expiry: both are asked.
  "nvcr.io": ["authn.nvidia.com"],
  "registry.gitlab.com": ["gitlab.com"],
};

/** Hub is contacted as registry-1.docker.io; older versions look up the other spellings. */
const HUB_NAMES = ["registry-1.docker.io", "docker.io", "index.docker.io"];

/** `asked`: token hosts that are known from asking the registry. */
export function enrootHosts(registry: string, asked: readonly string[] = []): EnrootHosts {
  const own = registry === "docker.io" ? HUB_NAMES : [withoutPort(registry)];
  const realms = new Set([...(KNOWN_REALMS[registry] ?? []), ...asked.map((host) => host.toLowerCase())]);
  for (const host of own) realms.delete(host);
  return { own, realms: [...realms] };
}

/** Are the token hosts of this registry known without asking it. */
export function hasKnownRealm(registry: string): boolean {
  return KNOWN_REALMS[registry] !== undefined;
}

function withoutPort(registry: string): string {
  return registry.replace(/:\d+$/, "");
}
