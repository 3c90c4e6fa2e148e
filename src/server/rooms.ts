import { type Catalog, openCatalog } from "#catalog";
import type { Logger } from "#core";
import type { Peer } from "#registry";
import type { Clock } from "#system";

/** Answers the requests of one part of the address space. */
export interface Area {
  fetch(request: Request, peer: Peer): Response | Promise<Response>;
}

/** The rooms behind a listening process. */
export interface Rooms {
  readonly catalog: Catalog;
  /** Everything under `/v2/`. */
  readonly registry: Area | undefined;
  /** Everything under `/api/`; loaded at its first request. */
  api(): Promise<Area | undefined>;
  /** Throws when the database does not answer. */
  check(): void;
  close(): Promise<void>;
}

export interface RoomsOptions {
  readonly dataDir: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Opens the data folder and builds the rooms over it. Throws what the catalog throws. */
export async function openRooms(options: RoomsOptions): Promise<Rooms> {
  const catalog = await openCatalog({ dir: options.dataDir, clock: options.clock });
  return {
    catalog,
    registry: undefined,
    api: async () => undefined,
    check: () => catalog.read(() => undefined),
    close: () => catalog.close(),
  };
}
