import type { Generations, Touch } from "./contract.ts";

/** Size of the file that the processes share. */
export const GENERATIONS_BYTES = 16 * 1024;

const SLOTS = GENERATIONS_BYTES / 4;
const ACCESS = 0;
// Commits that began and that ended, of all processes: how far apart they are tells a commit whose end nobody announced.
const BEGUN = 1;
const ENDED = 2;
const FIRST_REPOSITORY = 16;
const CHECK_EVERY_MS = 1;

/** What a commit needs of the counters; the stores' readers see `Generations` alone. */
export interface CommitCounters extends Generations {
  begin(slots: Iterable<number>): void;
  end(slots: Iterable<number>): void;
}

/** The counter of what a commit touches. Repositories share counters by hash: a clash costs a look at the database, no more. */
export function slotOf(touch: Touch): number {
  return touch === "access" ? ACCESS : repositorySlot(touch.repository);
}

/**
 * Counters over `shared`, a mapping of GENERATIONS_BYTES that other processes map too. `dataVersion` tells when another
 * connection has committed (SQLite's `PRAGMA data_version`): a commit that moved no counter (a process that died between
 * its commit and its second count, somebody's `sqlite3`) makes everything remembered here stale, within a millisecond.
 */
export function createGenerations(
  shared: Uint8Array,
  dataVersion: () => number,
  now: () => number = () => performance.now(),
): CommitCounters {
  const counters = new Uint32Array(shared.buffer, shared.byteOffset, SLOTS);
  let epoch = 0;
  let nextCheck = 0;
  let seenVersion = dataVersion();
  let seenEnded = Atomics.load(counters, ENDED);
  let seenGap = Atomics.load(counters, BEGUN) - seenEnded;

  function notice(): void {
    const time = now();
    if (time < nextCheck) return;
    nextCheck = time + CHECK_EVERY_MS;
    const version = dataVersion();
    const ended = Atomics.load(counters, ENDED);
    const gap = Atomics.load(counters, BEGUN) - ended;
    // A gap that stays is an old death, counted once; a greater one is a commit under way or a new death.
    if (version !== seenVersion && (ended === seenEnded || gap > seenGap)) epoch++;
    seenVersion = version;
    seenEnded = ended;
    seenGap = gap;
  }

  function add(slots: Iterable<number>): void {
    for (const slot of slots) Atomics.add(counters, slot, 1);
  }

  return {
    // Every term only grows, so the sum changes when any of them does.
    mark(repository) {
      notice();
      return epoch + Atomics.load(counters, ACCESS) + Atomics.load(counters, repositorySlot(repository));
    },
    accessMark() {
      notice();
      return epoch + Atomics.load(counters, ACCESS);
    },
    begin(slots) {
      Atomics.add(counters, BEGUN, 1);
      add(slots);
    },
    end(slots) {
      add(slots);
      Atomics.add(counters, ENDED, 1);
    },
  };
}

function repositorySlot(name: string): number {
  // FNV-1a: short, and the same in every process.
  let hash = 0x811c9dc5;
  for (let index = 0; index < name.length; index++)
    hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193);
  return FIRST_REPOSITORY + ((hash >>> 0) % (SLOTS - FIRST_REPOSITORY));
}
