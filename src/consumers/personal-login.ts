import type { ConsumerLogin, Target, Warning } from "./contract.ts";

/**
 * A node's file serves every pod of every namespace: a person's own account does not belong there. Told by what is sure: a username
 * that is an e-mail address, or that of the person at whose place it is.
 */
export function personalLogins(
  logins: readonly ConsumerLogin[],
  target: Target,
  whoPulls = "every pod on the node, of any namespace, will pull with it",
): readonly Warning[] {
  return logins
    .filter(
      ({ username }) =>
        /^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(username) || (target.user !== "root" && username === target.user),
    )
    .map((login) => ({
      kind: "danger",
      login: login.name,
      message: `${login.username} looks like a person's own account, and ${whoPulls}`,
      hint: "give nodes a robot's login that may only pull",
    }));
}
