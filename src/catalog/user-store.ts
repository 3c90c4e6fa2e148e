import type { Database } from "bun:sqlite";
import { AppError } from "#core";
import { createPage, type Page, type PageRequest } from "./page.ts";
import { isUniqueViolation } from "./sqlite-error.ts";

export interface User {
  readonly id: number;
  readonly name: string;
  readonly description: string;
  readonly admin: boolean;
  readonly disabled: boolean;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

/** What a check of a password needs. `hash` is undefined for a user without a password. */
export interface PasswordRow {
  readonly id: number;
  readonly name: string;
  readonly admin: boolean;
  readonly disabled: boolean;
  readonly hash: string | undefined;
  /** Milliseconds since 1970; grows with every change. */
  readonly changedAt: number;
}

export interface NewUser {
  readonly name: string;
  readonly description: string;
  readonly admin: boolean;
  readonly passwordHash: string | undefined;
  readonly createdAt: number;
}

/** Users. Everything here is called inside `read` or `write` (touching "access"). */
export interface UserStore {
  find(name: string): User | undefined;
  password(name: string): PasswordRow | undefined;
  /** By name. */
  list(page: PageRequest): Page<User>;
  count(): number;
  /** Admins that are not disabled. */
  countActiveAdmins(): number;
  /** Throws ALREADY_EXISTS when a user or robot has that name. */
  create(user: NewUser): User;
  update(
    id: number,
    change: { readonly description?: string; readonly admin?: boolean; readonly disabled?: boolean },
  ): void;
  setPassword(id: number, hash: string, changedAt: number): void;
  /** With tokens and memberships. */
  remove(id: number): void;
}

interface UserRow {
  readonly id: number;
  readonly name: string;
  readonly description: string;
  readonly admin: number;
  readonly disabled: number;
  readonly created_at: number;
}

interface HashRow extends UserRow {
  readonly password_hash: string | null;
  readonly password_changed_at: number;
}

const COLUMNS = "id, name, description, admin, disabled, created_at";

export function createUserStore(db: Database): UserStore {
  const find = db.prepare<UserRow, [string]>(
    `SELECT ${COLUMNS} FROM accounts WHERE name = ? AND kind = 'user'`,
  );
  const password = db.prepare<HashRow, [string]>(
    `SELECT ${COLUMNS}, password_hash, password_changed_at FROM accounts WHERE name = ? AND kind = 'user'`,
  );
  const list = db.prepare<UserRow, [string, number]>(
    `SELECT ${COLUMNS} FROM accounts WHERE kind = 'user' AND name > ? ORDER BY name LIMIT ?`,
  );
  const count = db.prepare<{ count: number }, []>(
    "SELECT count(*) AS count FROM accounts WHERE kind = 'user'",
  );
  const countAdmins = db.prepare<{ count: number }, []>(
    "SELECT count(*) AS count FROM accounts WHERE kind = 'user' AND admin = 1 AND disabled = 0",
  );
  const insert = db.prepare<UserRow, [string, string, number, string | null, number, number]>(
    `INSERT INTO accounts (name, kind, description, admin, password_hash, password_changed_at, created_at)
     VALUES (?, 'user', ?, ?, ?, ?, ?) RETURNING ${COLUMNS}`,
  );
  const update = db.prepare<never, [string | null, number | null, number | null, number]>(
    `UPDATE accounts SET description = coalesce(?1, description), admin = coalesce(?2, admin),
       disabled = coalesce(?3, disabled) WHERE id = ?4 AND kind = 'user'`,
  );
  const setPassword = db.prepare<never, [string, number, number]>(
    `UPDATE accounts SET password_hash = ?1, password_changed_at = max(?2, password_changed_at + 1)
     WHERE id = ?3 AND kind = 'user'`,
  );
  const remove = db.prepare<never, [number]>("DELETE FROM accounts WHERE id = ? AND kind = 'user'");

  return {
    find(name) {
      const row = find.get(name);
      return row === null ? undefined : toUser(row);
    },
    password(name) {
      const row = password.get(name);
      if (row === null) return undefined;
      return {
        id: row.id,
        name: row.name,
        admin: row.admin === 1,
        disabled: row.disabled === 1,
        hash: row.password_hash ?? undefined,
        changedAt: row.password_changed_at,
      };
    },
    list({ after = "", limit }) {
      return createPage(list.all(after, limit + 1), limit, { item: toUser, key: (row) => row.name });
    },
    count: () => count.get()?.count ?? 0,
    countActiveAdmins: () => countAdmins.get()?.count ?? 0,
    create({ name, description, admin, passwordHash, createdAt }) {
      try {
        const row = insert.get(name, description, Number(admin), passwordHash ?? null, createdAt, createdAt);
        return toUser(row as UserRow);
      } catch (cause) {
        if (!isUniqueViolation(cause)) throw cause;
        throw new AppError("ALREADY_EXISTS", `there is a user or robot ${name} already`, { cause });
      }
    },
    update(id, { description, admin, disabled }) {
      update.run(description ?? null, toFlag(admin), toFlag(disabled), id);
    },
    setPassword: (id, hash, changedAt) => void setPassword.run(hash, changedAt, id),
    remove: (id) => void remove.run(id),
  };
}

/** null leaves the column as it is. */
export function toFlag(value: boolean | undefined): number | null {
  return value === undefined ? null : Number(value);
}

function toUser(row: UserRow): User {
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    admin: row.admin === 1,
    disabled: row.disabled === 1,
    createdAt: row.created_at,
  };
}
