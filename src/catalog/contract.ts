/**
 * What the metadata database promises, whatever drives it (SQLite now; PostgreSQL when several machines share it).
 * Rows only: no HTTP, no decision about who may do what.
 */

/** Reads answer at once where the driver can (SQLite), later where it cannot. `await` takes both. */
export type MaybePromise<T> = T | Promise<T>;

/**
 * What a commit changes, so that answers remembered by any process of this machine become stale at once:
 * `access` for users, robots, tokens, projects, members; a repository's full name for its tags, manifests and links.
 */
export type Touch = "access" | { readonly repository: string };

/**
 * Counters in a file that every process of this machine maps. A commit adds to the counters of what it touches,
 * before and after. An answer remembered under a mark is valid while the mark is current: take the mark, read,
 * remember under that mark, never the other way round.
 */
export interface Generations {
  /** The mark of everything that an answer about this repository depends on: access and the repository itself. */
  mark(repository: string): number;
  /** The mark of access alone. */
  accessMark(): number;
}

/** The engine under the stores of one driver. Work is synchronous: it runs inside one transaction. */
export interface Transactions {
  /** Runs `work` in one short read transaction: all that it reads is of one moment. Inside a `write` it joins that one. */
  read<T>(work: () => T): T;
  /**
   * Queues `work`; what was queued in one tick commits together, with the database on disk before any promise resolves.
   * When `work` throws, its own changes alone are undone and its promise rejects with that error.
   * Throws STORAGE_FULL, STORAGE_FAILED, and BUSY when another process holds the database for too long.
   */
  write<T>(touched: readonly Touch[], work: () => T): Promise<T>;
}
