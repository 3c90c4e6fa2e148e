import type { Migration } from "../migrate.ts";

/** Who there is and what is theirs: accounts (users and robots), projects, members, tokens, sealed secrets. Times are milliseconds since 1970. */
export const accounts: Migration = {
  version: 1,
  up: `
    CREATE TABLE projects (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      name TEXT NOT NULL UNIQUE,
      visibility TEXT NOT NULL CHECK (visibility IN ('private', 'public')),
      description TEXT NOT NULL DEFAULT '',
      quota_bytes INTEGER,
      created_at INTEGER NOT NULL
    ) STRICT;

    -- Users and robots in one table: their names are unique together, and a token belongs to either.
    CREATE TABLE accounts (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      name TEXT NOT NULL UNIQUE,
      kind TEXT NOT NULL CHECK (kind IN ('user', 'robot')),
      description TEXT NOT NULL DEFAULT '',
      disabled INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1)),
      admin INTEGER NOT NULL DEFAULT 0 CHECK (admin IN (0, 1)),
      password_hash TEXT,
      -- Part of what a Bearer token made from a password carries: a new password ends them.
      password_changed_at INTEGER NOT NULL DEFAULT 0,
      short_name TEXT,
      project_id INTEGER REFERENCES projects (id) ON DELETE CASCADE,
      can_push INTEGER NOT NULL DEFAULT 0 CHECK (can_push IN (0, 1)),
      can_delete INTEGER NOT NULL DEFAULT 0 CHECK (can_delete IN (0, 1)),
      created_at INTEGER NOT NULL,
      CHECK (kind = 'user' OR (admin = 0 AND password_hash IS NULL AND short_name IS NOT NULL)),
      CHECK (kind = 'robot' OR (project_id IS NULL AND short_name IS NULL AND can_push = 0 AND can_delete = 0)),
      CHECK (project_id IS NOT NULL OR (can_push = 0 AND can_delete = 0))
    ) STRICT;
    CREATE INDEX accounts_by_kind ON accounts (kind, name);
    CREATE INDEX accounts_by_project ON accounts (project_id, short_name) WHERE project_id IS NOT NULL;

    -- The projects that a robot of the site may pull from.
    CREATE TABLE robot_projects (
      robot_id INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      project_id INTEGER NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
      PRIMARY KEY (robot_id, project_id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX robot_projects_by_project ON robot_projects (project_id);

    CREATE TABLE members (
      project_id INTEGER NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
      user_id INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      role TEXT NOT NULL CHECK (role IN ('guest', 'developer', 'maintainer', 'owner')),
      PRIMARY KEY (project_id, user_id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX members_by_user ON members (user_id);

    -- A revoked token stays, so that its holder can be told why it is refused.
    CREATE TABLE tokens (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      account_id INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      name TEXT NOT NULL,
      hash BLOB NOT NULL UNIQUE,
      created_at INTEGER NOT NULL,
      expires_at INTEGER,
      last_used_at INTEGER,
      revoked_at INTEGER
    ) STRICT;
    CREATE UNIQUE INDEX tokens_by_name ON tokens (account_id, name) WHERE revoked_at IS NULL;
    CREATE INDEX tokens_by_account ON tokens (account_id, id);

    CREATE TABLE sealed_secrets (
      name TEXT PRIMARY KEY,
      nonce BLOB NOT NULL,
      box BLOB NOT NULL,
      created_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
  `,
};
