import { AppError } from "#core";
import { parseRepositoryName } from "./repository-name.ts";

/** Docker Hub's canonical name, which image names leave out. */
export const DOCKER_HUB = "docker.io";

/** A registry, or a part of one, as a login names it. */
export interface RegistryName {
  /** Canonical: lower-case `host[:port]`, Hub as `docker.io`. */
  readonly registry: string;
  /** Path under it, without slashes at the ends; absent for the whole registry. */
  readonly path?: string;
}

const HUB_ALIASES: ReadonlySet<string> = new Set([DOCKER_HUB, "index.docker.io", "registry-1.docker.io"]);
const HOST =
  /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:.]{2,45}\])(?::([0-9]{1,5}))?$/;

/**
 * What a person types to name a registry: `host[:port][/path]`, with `https://` or not, and the spellings of Docker Hub's
 * config key (`https://index.docker.io/v1/`). Throws INVALID_INPUT, for a login inside the URL too.
 */
export function parseRegistry(text: string): RegistryName {
  const trimmed = text.trim();
  if (/^http:\/\//i.test(trimmed)) {
    throw new AppError("INVALID_INPUT", "a registry is named without http://", {
      hint: "write host:port alone, and say plain-http where the registry has no TLS",
    });
  }
  const isUrl = /^https:\/\//i.test(trimmed);
  const rest = isUrl ? trimmed.slice("https://".length) : trimmed;
  const slash = rest.indexOf("/");
  const host = slash < 0 ? rest : rest.slice(0, slash);
  if (rest.includes("@")) {
    // The text is not repeated: what stands before the @ may be a password.
    throw new AppError("INVALID_INPUT", "a registry is named without a username or password in it", {
      hint: "give the username with -u and the secret on standard input",
    });
  }
  const registry = canonicalRegistry(host);
  if (!isUrl && registry !== DOCKER_HUB && !looksLikeRegistry(host)) {
    throw new AppError("INVALID_INPUT", `${shown(host)} in an image name would be taken for Docker Hub`, {
      hint: `write ${host}:PORT or the full host name; for a part of Docker Hub docker.io/${host}`,
    });
  }
  const path = (slash < 0 ? "" : rest.slice(slash + 1)).replace(/\/+$/, "");
  const isApiPath = (isUrl || HUB_ALIASES.has(host.toLowerCase())) && /^v[12]$/.test(path);
  return path === "" || isApiPath ? { registry } : { registry, path: parseRepositoryName(path) };
}

/** The canonical `host[:port]`: lower case, Hub's aliases folded to `docker.io`. Throws INVALID_INPUT. */
export function canonicalRegistry(host: string): string {
  const lower = host.toLowerCase();
  const port = HOST.exec(lower);
  if (lower.length > 255 || port === null || Number(port[1] ?? 1) > 65_535 || Number(port[1] ?? 1) === 0) {
    throw new AppError("INVALID_INPUT", `${shown(host)} is not a registry`, {
      hint: "write host or host:port, as in registry.example.org:5000",
    });
  }
  return HUB_ALIASES.has(lower) ? DOCKER_HUB : lower;
}

/** True where docker would take the first component of an image name for a registry, not for a part of Docker Hub. */
export function looksLikeRegistry(component: string): boolean {
  return /[.:]/.test(component) || component === "localhost" || component !== component.toLowerCase();
}

/** The `host[:port]` to contact for a canonical registry: Docker Hub's is not its name. */
export function registryHost(registry: string): string {
  return registry === DOCKER_HUB ? "registry-1.docker.io" : registry;
}

function shown(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
