import type { Database } from "bun:sqlite";
import { createPage, type Page, type PageRequest } from "./page.ts";
import type { Visibility } from "./project-store.ts";

/** Roles of a member, weakest first. */
export const roles = ["guest", "developer", "maintainer", "owner"] as const;
export type Role = (typeof roles)[number];

export interface Member {
  readonly user: string;
  readonly role: Role;
}

/** What an account is to a project, as a decision needs it: one look on the hot path. */
export interface Standing {
  readonly projectId: number;
  readonly visibility: Visibility;
  /** The user's role; undefined for robots and for users who are no members. */
  readonly role: Role | undefined;
  /** True for a robot of this project, and for a site robot that may pull from it. */
  readonly isRobotOf: boolean;
}

/** Members of projects. Everything here is called inside `read` or `write` (touching "access"). */
export interface MemberStore {
  /** What an account (0: nobody) is to the project of that name; undefined when there is no such project. */
  standing(accountId: number, project: string): Standing | undefined;
  find(projectId: number, userId: number): Role | undefined;
  /** By user name. */
  list(projectId: number, page: PageRequest): Page<Member>;
  /** Adds the user, or changes the role. */
  set(projectId: number, userId: number, role: Role): void;
  /** False when the user was no member. */
  remove(projectId: number, userId: number): boolean;
  countOwners(projectId: number): number;
}

interface StandingRow {
  readonly id: number;
  readonly visibility: Visibility;
  readonly role: Role | null;
  readonly robot: number;
}

export function createMemberStore(db: Database): MemberStore {
  // Sub-selects, not joins: measured 7 µs cheaper per request (platform.md).
  const standing = db.prepare<StandingRow, [string, number]>(
    `SELECT id, visibility,
       (SELECT role FROM members WHERE project_id = projects.id AND user_id = ?2) AS role,
       (EXISTS (SELECT 1 FROM accounts WHERE id = ?2 AND project_id = projects.id)
        OR EXISTS (SELECT 1 FROM robot_projects WHERE robot_id = ?2 AND project_id = projects.id)) AS robot
     FROM projects WHERE name = ?1`,
  );
  const find = db.prepare<{ role: Role }, [number, number]>(
    "SELECT role FROM members WHERE project_id = ? AND user_id = ?",
  );
  const list = db.prepare<Member, [number, string, number]>(
    `SELECT accounts.name AS user, members.role AS role
     FROM members JOIN accounts ON accounts.id = members.user_id
     WHERE members.project_id = ? AND accounts.name > ? ORDER BY accounts.name LIMIT ?`,
  );
  const set = db.prepare<never, [number, number, Role]>(
    `INSERT INTO members (project_id, user_id, role) VALUES (?, ?, ?)
     ON CONFLICT (project_id, user_id) DO UPDATE SET role = excluded.role`,
  );
  const remove = db.prepare<never, [number, number]>(
    "DELETE FROM members WHERE project_id = ? AND user_id = ?",
  );
  const owners = db.prepare<{ count: number }, [number]>(
    "SELECT count(*) AS count FROM members WHERE project_id = ? AND role = 'owner'",
  );
  return {
    standing(accountId, project) {
      const row = standing.get(project, accountId);
      if (row === null) return undefined;
      return {
        projectId: row.id,
        visibility: row.visibility,
        role: row.role ?? undefined,
        isRobotOf: row.robot === 1,
      };
    },
    find: (projectId, userId) => find.get(projectId, userId)?.role,
    list(projectId, { after = "", limit }) {
      const rows = list.all(projectId, after, limit + 1);
      return createPage(rows, limit, {
        item: ({ user, role }) => ({ user, role }),
        key: (row) => row.user,
      });
    },
    set: (projectId, userId, role) => void set.run(projectId, userId, role),
    remove: (projectId, userId) => remove.run(projectId, userId).changes > 0,
    countOwners: (projectId) => owners.get(projectId)?.count ?? 0,
  };
}
