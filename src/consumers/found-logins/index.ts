/** The logins that files of any program hold, for `wharf import`. Pure. */
export type { FileOfLogins, FoundLogin, FoundLogins, Unusable } from "./contract.ts";
export { findLogins } from "./find-logins.ts";
