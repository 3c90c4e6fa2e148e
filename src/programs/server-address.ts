import { AppError } from "#core";
import { canonicalRegistry, DOCKER_HUB } from "#oci";

/** What docker, oras and crane call Docker Hub when they ask a helper; podman and skopeo say `docker.io`. */
const HUB_ADDRESS = "https://index.docker.io/v1/";
/** Paths of a registry's API, which name all of it. */
const WHOLE = new Set(["", "/", "/v1", "/v1/", "/v2", "/v2/"]);

/**
 * The registry that a helper is asked about: `host[:port]`, with a scheme and the API's path or not. undefined for anything else, a
 * path above all (docker keeps its own sign-in under `https://index.docker.io/v1/access-token`): answers are for whole registries.
 */
export function parseServerAddress(text: string): string | undefined {
  const parts = /^(?:https?:\/\/)?([^/\s]+)(\/.*)?$/i.exec(text);
  if (parts === null || !WHOLE.has(parts[2] ?? "")) return undefined;
  try {
    return canonicalRegistry(parts[1] ?? "");
  } catch (cause) {
    // What is no registry has no login; a helper that fails there would keep docker from asking without one.
    if (cause instanceof AppError) return undefined;
    throw cause;
  }
}

/** The address under which docker looks for a registry's login. */
export function serverAddress(registry: string): string {
  return registry === DOCKER_HUB ? HUB_ADDRESS : registry;
}
