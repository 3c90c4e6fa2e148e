import type { Database } from "bun:sqlite";
import { AppError } from "#core";
import { createPage, type Page, type PageRequest } from "./page.ts";
import { isUniqueViolation } from "./sqlite-error.ts";
import { toFlag } from "./user-store.ts";

export interface Robot {
  readonly id: number;
  /** The name it signs in with: `robot-<project>-<short name>`, or `robot-<short name>` of the site. */
  readonly username: string;
  /** Its name within its project or the site. */
  readonly name: string;
  readonly description: string;
  readonly disabled: boolean;
  /** undefined for a robot of the site. */
  readonly projectId: number | undefined;
  readonly canPush: boolean;
  readonly canDelete: boolean;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

export interface NewRobot {
  readonly username: string;
  readonly name: string;
  readonly description: string;
  readonly projectId: number | undefined;
  readonly canPush: boolean;
  readonly canDelete: boolean;
  /** For a robot of the site: the projects that it may pull from. */
  readonly pullsFrom: readonly number[];
  readonly createdAt: number;
}

/** Robots. Everything here is called inside `read` or `write` (touching "access"). */
export interface RobotStore {
  /** By its name within the project, or within the site (`undefined`). */
  find(projectId: number | undefined, name: string): Robot | undefined;
  /** By name, of one project or of the site. */
  list(projectId: number | undefined, page: PageRequest): Page<Robot>;
  /** Throws ALREADY_EXISTS when a user or another robot has that username. */
  create(robot: NewRobot): Robot;
  update(
    id: number,
    change: {
      readonly description?: string;
      readonly disabled?: boolean;
      readonly canPush?: boolean;
      readonly canDelete?: boolean;
    },
  ): void;
  /** The names of the projects that a site robot may pull from. */
  pullsFrom(id: number): string[];
  setPullsFrom(id: number, projectIds: readonly number[]): void;
  /** With its tokens. */
  remove(id: number): void;
}

interface RobotRow {
  readonly id: number;
  readonly name: string;
  readonly short_name: string;
  readonly description: string;
  readonly disabled: number;
  readonly project_id: number | null;
  readonly can_push: number;
  readonly can_delete: number;
  readonly created_at: number;
}

const COLUMNS = "id, name, short_name, description, disabled, project_id, can_push, can_delete, created_at";

export function createRobotStore(db: Database): RobotStore {
  const findOfProject = db.prepare<RobotRow, [number, string]>(
    `SELECT ${COLUMNS} FROM accounts WHERE project_id = ? AND short_name = ?`,
  );
  const findOfSite = db.prepare<RobotRow, [string]>(
    `SELECT ${COLUMNS} FROM accounts WHERE kind = 'robot' AND project_id IS NULL AND short_name = ?`,
  );
  const listOfProject = db.prepare<RobotRow, [number, string, number]>(
    `SELECT ${COLUMNS} FROM accounts WHERE project_id = ? AND short_name > ? ORDER BY short_name LIMIT ?`,
  );
  const listOfSite = db.prepare<RobotRow, [string, number]>(
    `SELECT ${COLUMNS} FROM accounts WHERE kind = 'robot' AND project_id IS NULL AND short_name > ?
     ORDER BY short_name LIMIT ?`,
  );
  const insert = db.prepare<RobotRow, [string, string, string, number | null, number, number, number]>(
    `INSERT INTO accounts (name, kind, short_name, description, project_id, can_push, can_delete, created_at)
     VALUES (?, 'robot', ?, ?, ?, ?, ?, ?) RETURNING ${COLUMNS}`,
  );
  const update = db.prepare<never, [string | null, number | null, number | null, number | null, number]>(
    `UPDATE accounts SET description = coalesce(?1, description), disabled = coalesce(?2, disabled),
       can_push = coalesce(?3, can_push), can_delete = coalesce(?4, can_delete)
     WHERE id = ?5 AND kind = 'robot'`,
  );
  const pullsFrom = db.prepare<{ name: string }, [number]>(
    `SELECT projects.name AS name FROM robot_projects JOIN projects ON projects.id = robot_projects.project_id
     WHERE robot_projects.robot_id = ? ORDER BY projects.name`,
  );
  const clearPulls = db.prepare<never, [number]>("DELETE FROM robot_projects WHERE robot_id = ?");
  const addPull = db.prepare<never, [number, number]>(
    "INSERT INTO robot_projects (robot_id, project_id) VALUES (?, ?)",
  );
  const remove = db.prepare<never, [number]>("DELETE FROM accounts WHERE id = ? AND kind = 'robot'");

  function setPullsFrom(id: number, projectIds: readonly number[]): void {
    clearPulls.run(id);
    for (const projectId of new Set(projectIds)) addPull.run(id, projectId);
  }

  return {
    find(projectId, name) {
      const row = projectId === undefined ? findOfSite.get(name) : findOfProject.get(projectId, name);
      return row === null ? undefined : toRobot(row);
    },
    list(projectId, { after = "", limit }) {
      const rows =
        projectId === undefined
          ? listOfSite.all(after, limit + 1)
          : listOfProject.all(projectId, after, limit + 1);
      return createPage(rows, limit, { item: toRobot, key: (row) => row.short_name });
    },
    create(robot) {
      try {
        const row = insert.get(
          robot.username,
          robot.name,
          robot.description,
          robot.projectId ?? null,
          Number(robot.canPush),
          Number(robot.canDelete),
          robot.createdAt,
        ) as RobotRow;
        setPullsFrom(row.id, robot.pullsFrom);
        return toRobot(row);
      } catch (cause) {
        if (!isUniqueViolation(cause)) throw cause;
        // `robot-a-b-c` is robot `c` of project `a-b` as well as `b-c` of `a`: the first one keeps it.
        throw new AppError("ALREADY_EXISTS", `there is an account ${robot.username} already`, {
          hint: "choose another name for this robot",
          cause,
        });
      }
    },
    update(id, { description, disabled, canPush, canDelete }) {
      update.run(description ?? null, toFlag(disabled), toFlag(canPush), toFlag(canDelete), id);
    },
    pullsFrom: (id) => pullsFrom.all(id).map((row) => row.name),
    setPullsFrom,
    remove: (id) => void remove.run(id),
  };
}

function toRobot(row: RobotRow): Robot {
  return {
    id: row.id,
    username: row.name,
    name: row.short_name,
    description: row.description,
    disabled: row.disabled === 1,
    projectId: row.project_id ?? undefined,
    canPush: row.can_push === 1,
    canDelete: row.can_delete === 1,
    createdAt: row.created_at,
  };
}
