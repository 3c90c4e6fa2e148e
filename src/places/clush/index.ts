import type { Place } from "../contract.ts";
import { createRemotePlace } from "../ssh/index.ts";
import type { RemoteIdentity } from "../ssh/program-text.ts";
import { ClushConnections, type ClushTarget } from "./connections.ts";

export type { ClushTarget } from "./connections.ts";
export { readClushHosts } from "./hosts.ts";

export interface ClushPlaces {
  /** The place on a node, as whoever signs in there, as root by sudo, or as another user of it. */
  open(target: ClushTarget, identity: RemoteIdentity): Place;
}

/** Nodes reached by the site's own ClusterShell; those that are told the same at once share its runs. */
export function createClushPlaces(env: Readonly<Record<string, string | undefined>>): ClushPlaces {
  const connections = new ClushConnections(env);
  return { open: (target, identity) => createRemotePlace(connections, target, identity) };
}
