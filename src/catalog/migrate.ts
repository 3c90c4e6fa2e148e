import type { Database } from "bun:sqlite";
import { AppError } from "#core";

/** One step of the schema. Never changed once released: a later step mends it. */
export interface Migration {
  /** The version that the database has afterwards: 1, 2, 3 … without a hole. */
  readonly version: number;
  readonly up: string;
}

/** "WHAR": says whose file it is, to us and to `file(1)`. */
const APPLICATION_ID = 0x57484152;

/**
 * Brings the database to the newest version, all steps in one transaction, so that a failure leaves it as it was.
 * Two processes may start at once: the second one finds it done. Throws STORAGE_FAILED for a newer or a foreign database.
 */
export function migrate(db: Database, migrations: readonly Migration[]): void {
  const newest = migrations.at(-1)?.version ?? 0;
  if (readVersion(db, newest) === newest) return;
  db.transaction(() => {
    const from = readVersion(db, newest);
    for (const migration of migrations) {
      if (migration.version > from) db.run(migration.up);
    }
    db.run(`PRAGMA user_version = ${newest}`);
    db.run(`PRAGMA application_id = ${APPLICATION_ID}`);
  }).immediate();
}

function readVersion(db: Database, newest: number): number {
  const version = readPragma(db, "user_version");
  const application = readPragma(db, "application_id");
  const isOurs = application === APPLICATION_ID || (application === 0 && version === 0);
  if (!isOurs)
    throw new AppError("STORAGE_FAILED", "wharf.db is the database of another program", {
      hint: "give a data folder of its own with --data DIR",
    });
  if (version > newest)
    throw new AppError(
      "STORAGE_FAILED",
      `wharf.db has version ${version}, this wharf knows versions up to ${newest}`,
      { hint: "run the newer wharf that wrote it, or restore the backup made before the upgrade" },
    );
  return version;
}

function readPragma(db: Database, name: string): number {
  return db.query<Record<string, number>, []>(`PRAGMA ${name}`).get()?.[name] ?? 0;
}
