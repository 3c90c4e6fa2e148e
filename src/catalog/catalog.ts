import { Database } from "bun:sqlite";
import { join } from "node:path";
import { type Clock, createFileDurable, createFileSync, ensurePrivateFolder, systemClock } from "#system";
import type { ContentStore } from "./content-contract.ts";
import { createContentStore } from "./content-store.ts";
import type { Generations, Transactions } from "./contract.ts";
import { createEngine } from "./engine.ts";
import { createGenerations, GENERATIONS_BYTES } from "./generations.ts";
import { createJobStore, type JobStore } from "./job-store.ts";
import { createMemberStore, type MemberStore } from "./member-store.ts";
import { migrate } from "./migrate.ts";
import { migrations } from "./migrations/all.ts";
import { createProjectStore, type ProjectStore } from "./project-store.ts";
import { createRobotStore, type RobotStore } from "./robot-store.ts";
import { openSealedSecrets, type SealedSecrets } from "./sealed-secrets.ts";
import { fromSqlite } from "./sqlite-error.ts";
import { createTokenStore, type TokenStore } from "./token-store.ts";
import { createUserStore, type UserStore } from "./user-store.ts";

export interface CatalogOptions {
  /** The data folder; made (0700) when it is not there. Holds `wharf.db`, `generations` and `key`, all 0600. */
  readonly dir: string;
  readonly clock?: Clock;
}

/** The metadata database with its stores. Several processes of one machine may have the same folder open. */
export interface Catalog extends Transactions {
  readonly generations: Generations;
  /** Repositories, blobs, manifests, tags, referrers. */
  readonly content: ContentStore;
  readonly sealedSecrets: SealedSecrets;
  readonly projects: ProjectStore;
  readonly members: MemberStore;
  readonly users: UserStore;
  readonly robots: RobotStore;
  readonly tokens: TokenStore;
  /** Work in the background. */
  readonly jobs: JobStore;
  /** Waits for queued writes, then closes. */
  close(): Promise<void>;
}

/**
 * Opens the catalog of a data folder, making and upgrading what is missing. Never walks the store.
 * Throws STORAGE_FAILED for a database that is damaged, foreign or of a newer wharf, STORAGE_FULL, PERMISSION_DENIED.
 */
export async function openCatalog(options: CatalogOptions): Promise<Catalog> {
  const { dir, clock = systemClock } = options;
  await ensurePrivateFolder(dir);
  const file = join(dir, "wharf.db");
  const generationsFile = join(dir, "generations");
  // SQLite would make the file with the umask's mode; its -wal and -shm take this one's.
  await createFileDurable(file, new Uint8Array(0));
  await createFileDurable(generationsFile, new Uint8Array(GENERATIONS_BYTES));
  const db = openDatabase(file);
  try {
    migrate(db, migrations);
    const dataVersion = db.prepare<{ data_version: number }, []>("PRAGMA data_version");
    const generations = createGenerations(
      Bun.mmap(generationsFile, { shared: true }),
      () => dataVersion.get()?.data_version ?? 0,
    );
    const log = createFileSync(`${file}-wal`);
    const engine = createEngine(db, generations, () => log.sync());
    return {
      read: (work) => engine.read(work),
      write: (touched, work) => engine.write(touched, work),
      generations,
      content: createContentStore(engine, clock),
      sealedSecrets: await openSealedSecrets({ engine, keyFile: join(dir, "key"), clock }),
      projects: createProjectStore(db),
      members: createMemberStore(db),
      users: createUserStore(db),
      robots: createRobotStore(db),
      tokens: createTokenStore(db),
      jobs: createJobStore(db, clock),
      async close() {
        await engine.idle();
        db.close();
        log.close();
      },
    };
  } catch (cause) {
    db.close();
    throw fromSqlite(cause);
  }
}

function openDatabase(file: string): Database {
  let db: Database;
  try {
    db = new Database(file, { readwrite: true, strict: true });
  } catch (cause) {
    throw fromSqlite(cause);
  }
  try {
    // Long while opening: another process may be upgrading. Short afterwards: the engine waits without holding the event loop.
    db.run("PRAGMA busy_timeout = 10000");
    db.run("PRAGMA journal_mode = WAL");
    // The engine syncs the log itself before it acknowledges; SQLite still syncs where its own order of writes needs it.
    db.run("PRAGMA synchronous = NORMAL");
    // 32 MB of log before it is folded in: at SQLite's 1000 pages the folding costs small pushes two thirds of their speed.
    db.run("PRAGMA wal_autocheckpoint = 8000");
    db.run("PRAGMA foreign_keys = ON");
    // Digests are random: a commit looks into every part of their indexes, and 2 MB (the default) hold a few thousand images.
    db.run("PRAGMA cache_size = -4096");
    db.run("PRAGMA temp_store = MEMORY");
    db.run("PRAGMA journal_size_limit = 67108864");
    db.run("PRAGMA busy_timeout = 20");
    return db;
  } catch (cause) {
    db.close();
    throw fromSqlite(cause);
  }
}
