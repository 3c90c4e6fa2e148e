import type { Database } from "bun:sqlite";
import { AppError } from "#core";
import { createPage, type Page, type PageRequest } from "./page.ts";
import { isUniqueViolation } from "./sqlite-error.ts";

export type Visibility = "private" | "public";
/** Which forms of its images the registry makes by itself. */
export type ConvertFormats = "off" | "sif" | "sqsh" | "both";
/** When it makes them: once somebody asks, or with each push. */
export type ConvertOn = "request" | "push";

export interface Project {
  readonly id: number;
  readonly name: string;
  readonly visibility: Visibility;
  readonly description: string;
  readonly convert: ConvertFormats;
  readonly convertOn: ConvertOn;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

export interface ProjectChange {
  readonly visibility?: Visibility;
  readonly description?: string;
  readonly convert?: ConvertFormats;
  readonly convertOn?: ConvertOn;
}

/** Who a list is for: what is public, all of it, or what an account may pull from. */
export type VisibleTo = "everybody" | "all" | { readonly accountId: number };

/** The projects that account ?2 may pull from, as a condition on rows of `projects`: the one place where SQL says what `access` decides. */
export const VISIBLE_TO_ACCOUNT = `(visibility = 'public'
       OR id IN (SELECT project_id FROM members WHERE user_id = ?2)
       OR id IN (SELECT project_id FROM robot_projects WHERE robot_id = ?2)
       OR id = (SELECT project_id FROM accounts WHERE id = ?2))`;

export interface NewProject {
  readonly name: string;
  readonly visibility: Visibility;
  readonly description: string;
  readonly createdAt: number;
}

/** Projects. Everything here is called inside `read` or `write` (touching "access"). */
export interface ProjectStore {
  find(name: string): Project | undefined;
  /** By name: all of them, or those that are public or that the account is a member of or (a robot) belongs to or may pull from. */
  list(page: PageRequest, visibleTo: VisibleTo): Page<Project>;
  /** Throws ALREADY_EXISTS. */
  create(project: NewProject): Project;
  update(id: number, change: ProjectChange): void;
  /** True when a repository of it holds a manifest. */
  holdsContent(id: number): boolean;
  /** With its members, robots and repositories. */
  remove(id: number): void;
}

interface ProjectRow {
  readonly id: number;
  readonly name: string;
  readonly visibility: Visibility;
  readonly description: string;
  readonly convert_formats: ConvertFormats;
  readonly convert_on: ConvertOn;
  readonly created_at: number;
}

const COLUMNS = "id, name, visibility, description, convert_formats, convert_on, created_at";

export function createProjectStore(db: Database): ProjectStore {
  const find = db.prepare<ProjectRow, [string]>(`SELECT ${COLUMNS} FROM projects WHERE name = ?`);
  const listAll = db.prepare<ProjectRow, [string, number]>(
    `SELECT ${COLUMNS} FROM projects WHERE name > ? ORDER BY name LIMIT ?`,
  );
  const listPublic = db.prepare<ProjectRow, [string, number]>(
    `SELECT ${COLUMNS} FROM projects WHERE name > ? AND visibility = 'public' ORDER BY name LIMIT ?`,
  );
  const listVisible = db.prepare<ProjectRow, [string, number, number]>(
    `SELECT ${COLUMNS} FROM projects WHERE name > ?1 AND ${VISIBLE_TO_ACCOUNT} ORDER BY name LIMIT ?3`,
  );
  const insert = db.prepare<ProjectRow, [string, Visibility, string, number]>(
    `INSERT INTO projects (name, visibility, description, created_at) VALUES (?, ?, ?, ?) RETURNING ${COLUMNS}`,
  );
  const update = db.prepare<never, [number, string | null, string | null, string | null, string | null]>(
    `UPDATE projects SET visibility = coalesce(?2, visibility), description = coalesce(?3, description),
     convert_formats = coalesce(?4, convert_formats), convert_on = coalesce(?5, convert_on) WHERE id = ?1`,
  );
  const holdsContent = db.prepare<{ found: number }, [number]>(
    `SELECT EXISTS (SELECT 1 FROM repositories JOIN manifests ON manifests.repository_id = repositories.id
       WHERE repositories.project_id = ?) AS found`,
  );
  // First, while it is known which bytes go with them.
  const removeConversions = db.prepare<never, [number]>(
    "DELETE FROM conversions WHERE repository_id IN (SELECT id FROM repositories WHERE project_id = ?)",
  );
  // Manifests, tags and links go with their repository; blobs stay for gc.
  const removeRepositories = db.prepare<never, [number]>("DELETE FROM repositories WHERE project_id = ?");
  const remove = db.prepare<never, [number]>("DELETE FROM projects WHERE id = ?");

  return {
    find(name) {
      const row = find.get(name);
      return row === null ? undefined : toProject(row);
    },
    list({ after = "", limit }, visibleTo) {
      const rows =
        visibleTo === "all"
          ? listAll.all(after, limit + 1)
          : visibleTo === "everybody"
            ? listPublic.all(after, limit + 1)
            : listVisible.all(after, visibleTo.accountId, limit + 1);
      return createPage(rows, limit, { item: toProject, key: (row) => row.name });
    },
    create({ name, visibility, description, createdAt }) {
      try {
        return toProject(insert.get(name, visibility, description, createdAt) as ProjectRow);
      } catch (cause) {
        if (!isUniqueViolation(cause)) throw cause;
        throw new AppError("ALREADY_EXISTS", `there is a project ${name} already`, { cause });
      }
    },
    update(id, change) {
      const { visibility, description, convert, convertOn } = change;
      update.run(id, visibility ?? null, description ?? null, convert ?? null, convertOn ?? null);
    },
    holdsContent: (id) => holdsContent.get(id)?.found === 1,
    remove(id) {
      removeConversions.run(id);
      removeRepositories.run(id);
      remove.run(id);
    },
  };
}

function toProject(row: ProjectRow): Project {
  const { id, name, visibility, description } = row;
  return {
    id,
    name,
    visibility,
    description,
    convert: row.convert_formats,
    convertOn: row.convert_on,
    createdAt: row.created_at,
  };
}
