import { AppError } from "#core";
import type { Clock } from "#system";
import type { BlobPlace, ContentStore, Deletion, NewBlob, NewManifest } from "./content-contract.ts";
import type { Engine } from "./engine.ts";

type Writes = Pick<
  ContentStore,
  | "linkBlob"
  | "moveBlob"
  | "mountBlob"
  | "putManifest"
  | "keepConversion"
  | "deleteTag"
  | "deleteManifest"
  | "deleteBlob"
  | "deleteRepository"
>;

/** Manifest m has a tag, or is part of an index that has one, or of one that is part of another. */
const NAMED = `(EXISTS (SELECT 1 FROM tags WHERE manifest_id = m.id)
  OR EXISTS (SELECT 1 FROM manifest_references AS r JOIN manifests AS i ON i.id = r.manifest_id
    WHERE r.digest = m.digest AND r.kind = 'manifest' AND i.repository_id = m.repository_id
    AND (EXISTS (SELECT 1 FROM tags WHERE manifest_id = i.id) OR EXISTS (
      SELECT 1 FROM manifest_references AS o JOIN manifests AS p ON p.id = o.manifest_id
      WHERE o.digest = i.digest AND o.kind = 'manifest' AND p.repository_id = i.repository_id))))`;

/**
 * The writes of the content store. What only adds a link touches no repository: no remembered answer can become wrong by it, for
 * absence is never remembered.
 */
export function createContentWrites(engine: Engine, clock: Clock): Writes {
  const sql = prepare(engine);

  function ensureRepository(name: string): number {
    const found = sql.repositoryId.get(name);
    if (found !== null) return found.id;
    const project = sql.projectId.get(name.split("/", 1)[0] ?? "");
    if (project === null) throw new AppError("PROJECT_UNKNOWN", "there is no such project");
    return idOf(sql.addRepository.get(project.id, name, clock.now()));
  }

  function ensureBlob(digest: string, place: BlobPlace): { id: number; surplus: string | undefined } {
    const known = sql.blobId.get(digest);
    if (known !== null) return { id: known.id, surplus: place.kind === "object" ? place.name : undefined };
    const now = clock.now();
    const added =
      place.kind === "object"
        ? sql.addBlob.get(digest, place.sizeBytes, now, place.name, null)
        : sql.addBlob.get(digest, place.bytes.length, now, null, place.bytes);
    return { id: idOf(added), surplus: undefined };
  }

  function requireReferences(repositoryId: number, manifest: NewManifest): void {
    for (const { kind, digest, required } of manifest.references) {
      if (!required) continue;
      const holds = kind === "blob" ? sql.linkedBlob : sql.manifestId;
      if (holds.get(repositoryId, digest) === null)
        throw new AppError("MANIFEST_BLOB_UNKNOWN", `the repository holds no ${kind} ${digest}`, {
          hint: `push the ${kind} first, then the manifest again`,
          details: { kind, digest },
        });
    }
  }

  function ensureManifest(repositoryId: number, manifest: NewManifest): number {
    const known = sql.manifestId.get(repositoryId, manifest.digest);
    if (known !== null) {
      if (known.media_type !== manifest.mediaType) sql.setMediaType.run(manifest.mediaType, known.id);
      return known.id;
    }
    const id = idOf(
      sql.addManifest.get(
        repositoryId,
        manifest.digest,
        manifest.mediaType,
        manifest.body.length,
        clock.now(),
        manifest.artifactType ?? null,
        manifest.subject ?? null,
        Object.keys(manifest.annotations).length === 0 ? null : JSON.stringify(manifest.annotations),
        manifest.body,
      ),
    );
    for (const { kind, digest } of manifest.references) sql.addReference.run(id, digest, kind);
    return id;
  }

  return {
    linkBlob: (repository, digest, place) =>
      engine.write([], () => {
        const repositoryId = ensureRepository(repository);
        const { id, surplus } = ensureBlob(digest, place);
        sql.addLink.run(repositoryId, id, clock.now());
        return { surplus };
      }),
    moveBlob: (repository, digest, place) =>
      engine.write([{ repository }], () => {
        if (place.kind === "object") sql.moveBlob.run(digest, place.name, null);
        else sql.moveBlob.run(digest, null, place.bytes);
      }),
    mountBlob: (repository, digest, from) =>
      engine.write([], () => {
        const source = sql.repositoryId.get(from);
        const blob = source === null ? null : sql.linkedBlob.get(source.id, digest);
        if (blob === null) return false;
        sql.addLink.run(ensureRepository(repository), blob.id, clock.now());
        return true;
      }),
    putManifest(repository, manifest, tags) {
      return engine.write([{ repository }], () => {
        const repositoryId = ensureRepository(repository);
        requireReferences(repositoryId, manifest);
        const id = ensureManifest(repositoryId, manifest);
        for (const tag of tags) sql.setTag.run(repositoryId, tag, id, clock.now());
        if (tags.length > 0) sql.dropUnnamed.run(repositoryId);
      });
    },
    keepConversion: (repository, { manifest, blobs }, { source, format, sizeBytes }) =>
      engine.write([{ repository }], () => {
        const repositoryId = sql.repositoryId.get(repository)?.id;
        const image = repositoryId === undefined ? null : sql.named.get(repositoryId, source);
        if (repositoryId === undefined || image === null) return { kept: false, surplus: objectsOf(blobs) };
        const surplus: string[] = [];
        for (const { digest, place } of blobs) {
          const blob = ensureBlob(digest, place);
          sql.addLink.run(repositoryId, blob.id, clock.now());
          if (blob.surplus !== undefined) surplus.push(blob.surplus);
        }
        requireReferences(repositoryId, manifest);
        const id = ensureManifest(repositoryId, manifest);
        sql.addConversion.run(image.id, format, repositoryId, id, sizeBytes, clock.now());
        return { kept: true, surplus };
      }),
    deleteTag: (repository, tag) =>
      engine.write([{ repository }], () => {
        const repositoryId = sql.repositoryId.get(repository)?.id;
        if (repositoryId === undefined) return "unknown";
        const outcome = deletion(sql.deleteTag.run(repositoryId, tag).changes);
        if (outcome === "deleted") sql.dropUnnamed.run(repositoryId);
        return outcome;
      }),
    deleteManifest: (repository, digest) =>
      engine.write([{ repository }], () => {
        const repositoryId = sql.repositoryId.get(repository)?.id;
        const known = repositoryId === undefined ? null : sql.manifestId.get(repositoryId, digest);
        if (repositoryId === undefined || known === null) return "unknown";
        // Before what they hang on: then it is still known which bytes go with them.
        sql.dropConversions.run(known.id);
        sql.deleteManifest.run(known.id);
        sql.dropUnnamed.run(repositoryId);
        sql.deleteEmpty.run(repositoryId);
        return "deleted";
      }),
    deleteBlob: (repository, digest) =>
      engine.write([{ repository }], () => {
        const repositoryId = sql.repositoryId.get(repository)?.id;
        const blob = repositoryId === undefined ? null : sql.linkedBlob.get(repositoryId, digest);
        if (repositoryId === undefined || blob === null) return "unknown";
        if (sql.userOf.get(repositoryId, digest) !== null) return "used";
        sql.deleteLink.run(repositoryId, blob.id);
        sql.deleteEmpty.run(repositoryId);
        return "deleted";
      }),
    deleteRepository: (repository) =>
      engine.write([{ repository }], () => {
        const repositoryId = sql.repositoryId.get(repository)?.id;
        if (repositoryId === undefined) return "unknown";
        sql.dropAllConversions.run(repositoryId);
        sql.deleteRepository.run(repositoryId);
        return "deleted";
      }),
  };
}

function prepare({ db }: Engine) {
  type Id = { id: number };
  return {
    repositoryId: db.prepare<Id, [string]>("SELECT id FROM repositories WHERE name = ?1"),
    projectId: db.prepare<Id, [string]>("SELECT id FROM projects WHERE name = ?1"),
    addRepository: db.prepare<Id, [number, string, number]>(
      "INSERT INTO repositories (project_id, name, created_at) VALUES (?1, ?2, ?3) RETURNING id",
    ),
    deleteRepository: db.prepare<null, [number]>("DELETE FROM repositories WHERE id = ?1"),
    deleteEmpty: db.prepare<null, [number]>(
      `DELETE FROM repositories WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM manifests WHERE repository_id = ?1)
       AND NOT EXISTS (SELECT 1 FROM links WHERE repository_id = ?1)`,
    ),
    blobId: db.prepare<Id, [string]>("SELECT id FROM blobs WHERE digest = ?1"),
    addBlob: db.prepare<Id, [string, number, number, string | null, Uint8Array | null]>(
      "INSERT INTO blobs (digest, size_bytes, created_at, object, bytes) VALUES (?1, ?2, ?3, ?4, ?5) RETURNING id",
    ),
    moveBlob: db.prepare<null, [string, string | null, Uint8Array | null]>(
      "UPDATE blobs SET object = ?2, bytes = ?3 WHERE digest = ?1",
    ),
    addLink: db.prepare<null, [number, number, number]>(
      "INSERT INTO links (repository_id, blob_id, created_at) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET created_at = ?3",
    ),
    deleteLink: db.prepare<null, [number, number]>(
      "DELETE FROM links WHERE repository_id = ?1 AND blob_id = ?2",
    ),
    linkedBlob: db.prepare<Id, [number, string]>(
      "SELECT id FROM blobs WHERE digest = ?2 AND EXISTS (SELECT 1 FROM links WHERE repository_id = ?1 AND blob_id = blobs.id)",
    ),
    manifestId: db.prepare<Id & { media_type: string }, [number, string]>(
      "SELECT id, media_type FROM manifests WHERE repository_id = ?1 AND digest = ?2",
    ),
    addManifest: db.prepare<
      Id,
      [number, string, string, number, number, string | null, string | null, string | null, Uint8Array]
    >(
      `INSERT INTO manifests
       (repository_id, digest, media_type, size_bytes, pushed_at, artifact_type, subject, annotations, body)
       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) RETURNING id`,
    ),
    setMediaType: db.prepare<null, [string, number]>("UPDATE manifests SET media_type = ?1 WHERE id = ?2"),
    addReference: db.prepare<null, [number, string, string]>(
      "INSERT INTO manifest_references (manifest_id, digest, kind) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
    ),
    deleteManifest: db.prepare<null, [number]>("DELETE FROM manifests WHERE id = ?1"),
    userOf: db.prepare<Id, [number, string]>(
      `SELECT manifest_id AS id FROM manifest_references WHERE digest = ?2 AND kind = 'blob'
       AND (SELECT repository_id FROM manifests WHERE id = manifest_id) = ?1 LIMIT 1`,
    ),
    setTag: db.prepare<null, [number, string, number, number]>(
      `INSERT INTO tags (repository_id, name, manifest_id, updated_at) VALUES (?1, ?2, ?3, ?4)
       ON CONFLICT DO UPDATE SET manifest_id = ?3, updated_at = ?4`,
    ),
    deleteTag: db.prepare<null, [number, string]>("DELETE FROM tags WHERE repository_id = ?1 AND name = ?2"),
    named: db.prepare<Id, [number, string]>(
      `SELECT id FROM manifests AS m WHERE repository_id = ?1 AND digest = ?2 AND ${NAMED}`,
    ),
    addConversion: db.prepare<null, [number, string, number, number, number, number]>(
      `INSERT INTO conversions (source_id, format, repository_id, result_id, size_bytes, created_at)
       VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING`,
    ),
    dropConversions: db.prepare<null, [number]>(
      "DELETE FROM conversions WHERE source_id = ?1 OR result_id = ?1",
    ),
    dropAllConversions: db.prepare<null, [number]>("DELETE FROM conversions WHERE repository_id = ?1"),
    dropUnnamed: db.prepare<null, [number]>(
      `DELETE FROM conversions WHERE repository_id = ?1
       AND NOT EXISTS (SELECT 1 FROM manifests AS m WHERE m.id = source_id AND ${NAMED})`,
    ),
  };
}

function objectsOf(blobs: readonly NewBlob[]): string[] {
  return blobs.flatMap(({ place }) => (place.kind === "object" ? [place.name] : []));
}

function idOf(row: { id: number } | null): number {
  if (row === null) throw new AppError("INTERNAL", "the database gave no id for a new row");
  return row.id;
}

function deletion(changes: number): Deletion {
  return changes === 0 ? "unknown" : "deleted";
}
