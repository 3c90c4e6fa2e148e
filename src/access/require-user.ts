import type { Caller, Principal } from "./contract.ts";
import { denied, loginNeeded } from "./refusals.ts";

export type UserPrincipal = Extract<Principal, { readonly kind: "user" }>;

/**
 * The user behind a caller of the management API. Throws UNAUTHORIZED for anonymous, DENIED for robots and for Bearer tokens of
 * the registry: neither manages anything, so a leaked one cannot make itself stronger.
 */
export function requireUser(caller: Caller): UserPrincipal {
  const { principal, grants } = caller;
  if (principal.kind === "anonymous") throw loginNeeded();
  if (principal.kind === "robot") throw denied("do this with a robot");
  if (grants !== undefined) throw denied("do this with a Bearer token of the registry");
  return principal;
}

/** The same, and an admin of the site. Throws DENIED for anybody else. */
export function requireAdmin(caller: Caller): UserPrincipal {
  const user = requireUser(caller);
  if (!user.admin) throw denied("do this without being an admin of the registry");
  return user;
}
