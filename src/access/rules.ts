import type { Role, Standing } from "#catalog";
import type { Principal, ProjectPermission, RepositoryAction } from "./contract.ts";

const ROLE_RANK: Readonly<Record<Role, number>> = { guest: 1, developer: 2, maintainer: 3, owner: 4 };

/** The weakest role that has a right. Site admins have all of them. */
const ACTION_NEEDS: Readonly<Record<RepositoryAction, Role>> = {
  pull: "guest",
  push: "developer",
  delete: "maintainer",
};

const PERMISSION_NEEDS: Readonly<Record<ProjectPermission, Role>> = {
  view: "guest",
  "members-view": "guest",
  robots: "developer",
  members: "maintainer",
  "robots-writing": "maintainer",
  describe: "maintainer",
  owners: "owner",
  visibility: "owner",
  delete: "owner",
};

/** True when the role has every right that the other one has. */
export function isRoleAtLeast(role: Role | undefined, needed: Role): boolean {
  return role !== undefined && ROLE_RANK[role] >= ROLE_RANK[needed];
}

/** True when a principal may know that a project with this standing exists. */
export function maySee(principal: Principal, standing: Standing): boolean {
  if (standing.visibility === "public") return true;
  if (principal.kind === "user") return principal.admin || standing.role !== undefined;
  return principal.kind === "robot" && standing.isRobotOf;
}

/** What a principal may do with the repositories of a project, whatever its Bearer token says. */
export function mayAct(principal: Principal, standing: Standing, action: RepositoryAction): boolean {
  if (action === "pull" && standing.visibility === "public") return true;
  if (principal.kind === "anonymous") return false;
  if (principal.kind === "user") return principal.admin || isRoleAtLeast(standing.role, ACTION_NEEDS[action]);
  if (!standing.isRobotOf) return false;
  if (action === "pull") return true;
  // A robot of the site only pulls, wherever it may go.
  if (principal.project === undefined) return false;
  return action === "push" ? principal.canPush : principal.canDelete;
}

/** What a principal may do with a project itself. */
export function mayManage(principal: Principal, standing: Standing, permission: ProjectPermission): boolean {
  if (permission === "view") return maySee(principal, standing);
  if (principal.kind !== "user") return false;
  return principal.admin || isRoleAtLeast(standing.role, PERMISSION_NEEDS[permission]);
}
