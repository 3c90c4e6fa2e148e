import type { Clock } from "#system";
import type { ContentStore } from "./content-contract.ts";
import { createContentReads } from "./content-reads.ts";
import { createContentWrites } from "./content-writes.ts";
import type { Engine } from "./engine.ts";

/** The content store of the SQLite driver. */
export function createContentStore(engine: Engine, clock: Clock): ContentStore {
  return { ...createContentReads(engine.db), ...createContentWrites(engine, clock) };
}
