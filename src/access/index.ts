/** Who may do what: callers from Authorization headers, decisions, Bearer tokens, the first admin. No HTTP. */
export { type AccessOptions, createAccess } from "./access.ts";
export type * from "./contract.ts";
export { ensureFirstAdmin, type FirstAdmin, forgetFirstPassword } from "./first-admin.ts";
export { hashNewPassword } from "./password-rule.ts";
export { requireAdmin, requireUser, type UserPrincipal } from "./require-user.ts";
export { isRoleAtLeast } from "./rules.ts";
export { createTokenSecret } from "./token-secret.ts";
