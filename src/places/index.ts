/** Where consumers live: this machine, hosts over SSH, Kubernetes, and a folder to render into. */
export {
  type AnsibleHost,
  type AnsiblePlaces,
  type AnsibleTarget,
  type AnsibleTool,
  createAnsiblePlaces,
  hostsIn,
  readAnsibleHosts,
} from "./ansible/index.ts";
export { type ClushPlaces, createClushPlaces, readClushHosts } from "./clush/index.ts";
export type * from "./contract.ts";
export { createFolderPlace } from "./folder/index.ts";
export { createKubernetesPlaces, type KubernetesPlaces } from "./kubernetes/index.ts";
export { createLocalPlace } from "./local/index.ts";
export { withOpensvcObjects } from "./opensvc/index.ts";
export { type CarriedPrograms, type ProgramFile, readExecutable, withPrograms } from "./program/index.ts";
export { readSlurmHosts } from "./slurm/index.ts";
export { createSshPlaces, type SshPlaces } from "./ssh/index.ts";
