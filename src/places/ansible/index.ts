import type { Place } from "../contract.ts";
import { createRemotePlace } from "../ssh/index.ts";
import type { RemoteIdentity } from "../ssh/program-text.ts";
import { AnsibleConnections, type AnsibleTarget } from "./connections.ts";
import type { AnsibleTool } from "./tool.ts";

export type { AnsibleTarget } from "./connections.ts";
export { type AnsibleHost, hostsIn, readAnsibleHosts } from "./hosts.ts";
export type { AnsibleTool } from "./tool.ts";

export interface AnsiblePlaces {
  /** The place on a host of the site's inventory, as whoever Ansible is there, or as another user of it. */
  open(target: AnsibleTarget, identity: RemoteIdentity): Place;
}

/** Hosts reached by the site's own ansible-core; those that are asked at once share its runs. */
export function createAnsiblePlaces(tool: AnsibleTool): AnsiblePlaces {
  const connections = new AnsibleConnections(tool);
  return { open: (target, identity) => createRemotePlace(connections, target, identity) };
}
