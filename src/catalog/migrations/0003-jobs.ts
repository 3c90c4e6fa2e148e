import type { Migration } from "../migrate.ts";

/** Work in the background, and the forms of images that it makes: SIF, squashfs. Times are milliseconds since 1970. */
export const jobs: Migration = {
  version: 3,
  up: `
    ALTER TABLE projects ADD COLUMN convert_formats TEXT NOT NULL DEFAULT 'off'
      CHECK (convert_formats IN ('off', 'sif', 'sqsh', 'both'));
    ALTER TABLE projects ADD COLUMN convert_on TEXT NOT NULL DEFAULT 'request'
      CHECK (convert_on IN ('request', 'push'));

    -- What is done is no row any more: its result is elsewhere. What failed stays, so that it is told and not tried for ever.
    CREATE TABLE jobs (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      kind TEXT NOT NULL,
      key TEXT NOT NULL,
      project_id INTEGER REFERENCES projects (id) ON DELETE CASCADE,
      manifest_id INTEGER REFERENCES manifests (id) ON DELETE CASCADE,
      payload TEXT NOT NULL,
      state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'failed')),
      attempts INTEGER NOT NULL DEFAULT 0,
      -- Waiting: not before. Failed: asked again from then on; null for never.
      due_at INTEGER,
      holder TEXT,
      lease_until INTEGER,
      error_code TEXT,
      error_message TEXT,
      created_at INTEGER NOT NULL,
      changed_at INTEGER NOT NULL,
      UNIQUE (kind, key),
      CHECK ((state = 'running') = (holder IS NOT NULL)),
      CHECK ((holder IS NULL) = (lease_until IS NULL))
    ) STRICT;
    CREATE INDEX jobs_by_state ON jobs (state, due_at);
    CREATE INDEX jobs_by_project ON jobs (project_id, id) WHERE project_id IS NOT NULL;
    CREATE INDEX jobs_by_manifest ON jobs (manifest_id) WHERE manifest_id IS NOT NULL;

    CREATE TABLE conversions (
      source_id INTEGER NOT NULL REFERENCES manifests (id) ON DELETE CASCADE,
      format TEXT NOT NULL CHECK (format IN ('sif', 'sqsh')),
      repository_id INTEGER NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
      result_id INTEGER NOT NULL REFERENCES manifests (id) ON DELETE CASCADE,
      size_bytes INTEGER NOT NULL,
      created_at INTEGER NOT NULL,
      PRIMARY KEY (source_id, format)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX conversions_by_repository ON conversions (repository_id);
    CREATE INDEX conversions_by_result ON conversions (result_id);

    -- However an image goes, what was made of it goes in the same commit, and its bytes where nobody else has them. A tag that somebody
    -- gave to the result keeps it.
    CREATE TRIGGER conversions_gone AFTER DELETE ON conversions
    WHEN NOT EXISTS (SELECT 1 FROM tags WHERE manifest_id = OLD.result_id)
    BEGIN
      DELETE FROM links WHERE repository_id = OLD.repository_id
        AND blob_id IN (SELECT blobs.id FROM manifest_references AS r JOIN blobs ON blobs.digest = r.digest
          WHERE r.manifest_id = OLD.result_id AND NOT EXISTS (
            SELECT 1 FROM manifest_references AS o JOIN manifests ON manifests.id = o.manifest_id
            WHERE o.digest = r.digest AND o.manifest_id <> r.manifest_id AND manifests.repository_id = OLD.repository_id));
      INSERT INTO jobs (kind, key, payload, created_at, changed_at)
        SELECT 'drop-object', object, '{}', unixepoch() * 1000, unixepoch() * 1000
        FROM manifest_references AS r JOIN blobs ON blobs.digest = r.digest
        WHERE r.manifest_id = OLD.result_id AND object IS NOT NULL
          AND NOT EXISTS (SELECT 1 FROM links WHERE blob_id = blobs.id)
        ON CONFLICT DO NOTHING;
      DELETE FROM blobs WHERE object IS NOT NULL
        AND digest IN (SELECT digest FROM manifest_references WHERE manifest_id = OLD.result_id)
        AND NOT EXISTS (SELECT 1 FROM links WHERE blob_id = blobs.id);
      DELETE FROM manifests WHERE id = OLD.result_id;
    END;
  `,
};
