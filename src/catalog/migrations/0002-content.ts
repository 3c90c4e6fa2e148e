import type { Migration } from "../migrate.ts";

/** What is in the registry: repositories, blobs and their links, manifests with what they refer to, tags. Times are milliseconds since 1970. No AUTOINCREMENT: each page a commit touches is a page to sync. */
export const content: Migration = {
  version: 2,
  up: `
    CREATE TABLE repositories (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      project_id INTEGER NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
      name TEXT NOT NULL UNIQUE,
      created_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX repositories_by_project ON repositories (project_id, name);

    -- A blob once, however many repositories link to it: in an object of the blob store, or, when small, here.
    CREATE TABLE blobs (
      id INTEGER PRIMARY KEY,
      digest TEXT NOT NULL UNIQUE,
      size_bytes INTEGER NOT NULL,
      created_at INTEGER NOT NULL,
      object TEXT,
      bytes BLOB,
      CHECK ((object IS NULL) <> (bytes IS NULL))
    ) STRICT;

    -- The right of a repository to a blob. A blob is read through its link alone.
    CREATE TABLE links (
      repository_id INTEGER NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
      blob_id INTEGER NOT NULL REFERENCES blobs (id),
      created_at INTEGER NOT NULL,
      PRIMARY KEY (repository_id, blob_id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX links_by_blob ON links (blob_id);

    -- The body comes last: lists never read the pages that it spills into.
    CREATE TABLE manifests (
      id INTEGER PRIMARY KEY,
      repository_id INTEGER NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
      digest TEXT NOT NULL,
      media_type TEXT NOT NULL,
      size_bytes INTEGER NOT NULL,
      pushed_at INTEGER NOT NULL,
      artifact_type TEXT,
      subject TEXT,
      annotations TEXT,
      body BLOB NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX manifests_by_digest ON manifests (repository_id, digest);
    CREATE INDEX manifests_by_subject ON manifests (repository_id, subject, digest) WHERE subject IS NOT NULL;

    -- What a manifest points to: blobs, and for an index manifests. Foreign layers and other missing ones are here too.
    CREATE TABLE manifest_references (
      manifest_id INTEGER NOT NULL REFERENCES manifests (id) ON DELETE CASCADE,
      digest TEXT NOT NULL,
      kind TEXT NOT NULL CHECK (kind IN ('blob', 'manifest')),
      PRIMARY KEY (manifest_id, digest)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX manifest_references_by_digest ON manifest_references (digest, manifest_id);

    CREATE TABLE tags (
      repository_id INTEGER NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
      name TEXT NOT NULL,
      manifest_id INTEGER NOT NULL REFERENCES manifests (id) ON DELETE CASCADE,
      updated_at INTEGER NOT NULL,
      PRIMARY KEY (repository_id, name)
    ) STRICT, WITHOUT ROWID;
    -- distribution-spec, "Listing Tags": lexical order, that is case-insensitive.
    CREATE INDEX tags_in_order ON tags (repository_id, name COLLATE NOCASE, name);
    CREATE INDEX tags_by_manifest ON tags (manifest_id);
  `,
};
