import { type Access, createAccess, ensureFirstAdmin, type FirstAdmin } from "#access";
import { openFolderStore } from "#blobs";
import { type Catalog, openCatalog } from "#catalog";
import type { Logger } from "#core";
import { type JobSupervisor, superviseJobs } from "#jobs";
import { createRegistry, type Peer } from "#registry";
import type { Clock, OwnProgram } from "#system";

/** Answers the requests of one part of the address space. */
export interface Area {
  fetch(request: Request, peer: Peer): Response | Promise<Response>;
}

/** The rooms behind a listening process. */
export interface Rooms {
  readonly access: Access;
  /** Everything under `/v2/`. */
  readonly registry: Area;
  /** Everything under `/api/`; loaded at its first request. */
  api(): Promise<Area>;
  /** Makes the first admin where there is no user yet. Throws what `ensureFirstAdmin` throws. */
  ensureAdmin(): Promise<FirstAdmin>;
  /** Work in the background, as it stands. */
  countJobs(): ReturnType<Catalog["jobs"]["countByState"]>;
  /** Throws when the database does not answer. */
  check(): void;
  close(): Promise<void>;
}

export interface RoomsOptions {
  readonly dataDir: string;
  readonly adminPasswordFile: string | undefined;
  readonly publicUrl: string | undefined;
  /** Starts a process that does the jobs that are due. */
  readonly startWorker: () => OwnProgram;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Opens the data folder and builds the rooms over it. Throws what the catalog throws. */
export async function openRooms(options: RoomsOptions): Promise<Rooms> {
  const { dataDir, adminPasswordFile, publicUrl, startWorker, clock, log } = options;
  const catalog = await openCatalog({ dir: dataDir, clock });
  const blobs = await openFolderStore({ dir: dataDir });
  const access = createAccess({ catalog, clock, log });
  const jobs: JobSupervisor = superviseJobs({ catalog, log, startWorker });
  let api: Promise<Area> | undefined;
  // Its schemas and router take longer to load than all the rest takes to start.
  const loadApi = async (): Promise<Area> => {
    try {
      return (await import("#api")).createApi({ catalog, access, dataDir, log, now: () => clock.now() });
    } catch (cause) {
      // Too many open files at the first try must not last for ever.
      api = undefined;
      throw cause;
    }
  };
  return {
    access,
    registry: createRegistry({
      catalog,
      access,
      blobs,
      log,
      clock,
      onJob: () => jobs.wake(),
      ...(publicUrl === undefined ? {} : { publicUrl }),
    }),
    api: () => (api ??= loadApi()),
    ensureAdmin: () => ensureFirstAdmin({ catalog, dir: dataDir, passwordFile: adminPasswordFile, clock }),
    countJobs: () => catalog.read(() => catalog.jobs.countByState()),
    check: () => void catalog.read(() => catalog.users.count()),
    async close() {
      await jobs.stop();
      await access.close();
      await blobs.close();
      await catalog.close();
    },
  };
}
