/** Ansible's own files: Vault, and a vars file with its `!vault` values and DeepOps' list of registries. Computes only: no I/O. */
export { isAnsibleVault } from "./envelope.ts";
export {
  type ListedRegistry,
  REGISTRY_LIST,
  type RegistryList,
  readRegistryList,
} from "./registry-list.ts";
export { type OpenedVault, openAnsibleVault, sealAnsibleVault, type VaultPassword } from "./seal.ts";
export { isTemplate, openVars, parseVars, readValue, readVar, type Value, type Vars } from "./vars-file.ts";
