import type { Database } from "bun:sqlite";
import { AppError } from "#core";
import type { Touch, Transactions } from "./contract.ts";
import { type CommitCounters, slotOf } from "./generations.ts";
import { fromSqlite, isBusy } from "./sqlite-error.ts";

const BATCH = 256;
const BUSY_GIVE_UP_MS = 15_000;
const BUSY_PAUSE_MS = 5;

interface Job {
  readonly touched: readonly Touch[];
  readonly work: () => unknown;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

type Outcome = { readonly value: unknown } | { readonly error: unknown };

/** The engine of one process: one connection, its queue of writes, and the counters it shares with other processes. */
export interface Engine extends Transactions {
  /** For the stores of this room: they prepare their statements once. */
  readonly db: Database;
  /** Resolves when nothing is queued. */
  idle(): Promise<void>;
}

/** An engine over an open, migrated database with `busy_timeout` short and `foreign_keys` on. */
export function createEngine(db: Database, counters: CommitCounters): Engine {
  const queue: Job[] = [];
  const waiting: (() => void)[] = [];
  let scheduled = false;
  let busySince: number | undefined;

  const begin = db.prepare("BEGIN");
  const beginImmediate = db.prepare("BEGIN IMMEDIATE");
  const commit = db.prepare("COMMIT");
  const rollback = db.prepare("ROLLBACK");
  const savepoint = db.prepare("SAVEPOINT job");
  const release = db.prepare("RELEASE job");
  const rollbackTo = db.prepare("ROLLBACK TO job");

  function schedule(delayMs: number): void {
    scheduled = true;
    if (delayMs === 0) setImmediate(flush);
    else setTimeout(flush, delayMs);
  }

  function flush(): void {
    scheduled = false;
    const jobs = queue.splice(0, BATCH);
    if (jobs.length > 0) {
      const retry = commitTogether(jobs);
      if (retry) queue.unshift(...jobs);
      if (queue.length > 0) schedule(retry ? BUSY_PAUSE_MS * (1 + Math.random()) : 0);
    }
    if (queue.length === 0) for (const wake of waiting.splice(0)) wake();
  }

  /** One transaction for all; true when another process has the database and the same jobs must be tried again. */
  function commitTogether(jobs: readonly Job[]): boolean {
    try {
      beginImmediate.run();
    } catch (cause) {
      if (isBusy(cause)) {
        busySince ??= performance.now();
        if (performance.now() - busySince < BUSY_GIVE_UP_MS) return true;
      }
      busySince = undefined;
      const error = fromSqlite(cause);
      for (const job of jobs) job.reject(error);
      return false;
    }
    busySince = undefined;
    const slots = new Set(jobs.flatMap((job) => job.touched.map(slotOf)));
    let outcomes: readonly Outcome[];
    counters.begin(slots);
    try {
      outcomes = runAll(jobs);
    } finally {
      counters.end(slots);
    }
    for (const [index, job] of jobs.entries()) {
      const outcome = outcomes[index] as Outcome;
      if ("error" in outcome) job.reject(outcome.error);
      else job.resolve(outcome.value as never);
    }
    return false;
  }

  /** All jobs and their COMMIT. A fault that ended the transaction (full disk) fails all of them. */
  function runAll(jobs: readonly Job[]): Outcome[] {
    try {
      const outcomes = jobs.map((job) => (jobs.length === 1 ? runAlone(job) : runGuarded(job)));
      if (db.inTransaction) commit.run();
      return outcomes;
    } catch (cause) {
      if (db.inTransaction) rollback.run();
      const error = fromSqlite(cause);
      return jobs.map(() => ({ error }));
    }
  }

  /** Without a savepoint: undoing the whole transaction undoes this job alone. */
  function runAlone(job: Job): Outcome {
    try {
      return { value: runWork(job) };
    } catch (cause) {
      if (db.inTransaction) rollback.run();
      return { error: fromSqlite(cause) };
    }
  }

  function runGuarded(job: Job): Outcome {
    savepoint.run();
    try {
      const value = runWork(job);
      release.run();
      return { value };
    } catch (cause) {
      // SQLite itself undid everything (full disk, I/O error): nobody's changes are left to commit.
      if (!db.inTransaction) throw cause;
      rollbackTo.run();
      release.run();
      return { error: fromSqlite(cause) };
    }
  }

  function runWork(job: Job): unknown {
    const value = job.work();
    if (value instanceof Promise)
      throw new AppError("INTERNAL", "work in a transaction must be synchronous: it returned a promise");
    return value;
  }

  return {
    db,
    read(work) {
      if (db.inTransaction) return work();
      begin.run();
      try {
        return work();
      } catch (cause) {
        throw fromSqlite(cause);
      } finally {
        if (db.inTransaction) commit.run();
      }
    },
    write(touched, work) {
      return new Promise((resolve, reject) => {
        queue.push({ touched, work, resolve, reject });
        if (!scheduled) schedule(0);
      });
    },
    idle() {
      if (queue.length === 0) return Promise.resolve();
      return new Promise((resolve) => waiting.push(resolve));
    },
  };
}
