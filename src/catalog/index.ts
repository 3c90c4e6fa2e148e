/** The metadata database: rows in one transaction, generations that make remembered answers stale, sealed server secrets. */
export { type Catalog, type CatalogOptions, openCatalog } from "./catalog.ts";
export type * from "./content-contract.ts";
export type * from "./contract.ts";
export type { SealedSecrets } from "./sealed-secrets.ts";
