/** The typed client of the management API, for commands and pages. Loads nothing of the server. */
export type * from "./contract.ts";
export { type ApiClientOptions, createApiClient } from "./create-client.ts";
