/** The OCI distribution server: uploads, manifests, tags, referrers, token endpoint. */
export type * from "./contract.ts";
export { createRegistry, type RegistryOptions } from "./registry.ts";
