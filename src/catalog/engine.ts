import type { Database } from "bun:sqlite";
import { AppError } from "#core";
import type { MaybePromise, Touch, Transactions } from "./contract.ts";
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

/**
 * An engine over an open, migrated database with `busy_timeout` short, `foreign_keys` on and `synchronous = NORMAL`: a commit is in the log
 * and seen by readers at once, and `sync` puts the log on the disk before any promise resolves. While a slow disk works requests are
 * answered, and what is written meanwhile shares the next commit.
 */
export function createEngine(db: Database, counters: CommitCounters, sync: () => MaybePromise<void>): Engine {
  const queue: Job[] = [];
  const waiting: (() => void)[] = [];
  /** From the moment that a flush is due until its jobs are settled. */
  let flushing = false;
  let busySince: number | undefined;

  const begin = db.prepare("BEGIN");
  const beginImmediate = db.prepare("BEGIN IMMEDIATE");
  const commit = db.prepare("COMMIT");
  const rollback = db.prepare("ROLLBACK");
  const savepoint = db.prepare("SAVEPOINT job");
  const release = db.prepare("RELEASE job");
  const rollbackTo = db.prepare("ROLLBACK TO job");

  function schedule(delayMs: number): void {
    flushing = true;
    if (delayMs === 0) setImmediate(() => void flush());
    else setTimeout(() => void flush(), delayMs);
  }

  async function flush(): Promise<void> {
    const jobs = queue.splice(0, BATCH);
    const outcomes = commitTogether(jobs);
    if (outcomes === "busy") {
      queue.unshift(...jobs);
      return schedule(BUSY_PAUSE_MS * (1 + Math.random()));
    }
    const durable = onDisk(outcomes);
    settle(jobs, durable instanceof Promise ? await durable : durable);
    if (queue.length > 0) return schedule(0);
    flushing = false;
    for (const wake of waiting.splice(0)) wake();
  }

  /** One transaction for all; "busy" when another process has the database and the same jobs must be tried again. */
  function commitTogether(jobs: readonly Job[]): readonly Outcome[] | "busy" {
    try {
      beginImmediate.run();
    } catch (cause) {
      if (isBusy(cause)) {
        busySince ??= performance.now();
        if (performance.now() - busySince < BUSY_GIVE_UP_MS) return "busy";
      }
      busySince = undefined;
      const error = fromSqlite(cause);
      return jobs.map(() => ({ error }));
    }
    busySince = undefined;
    const slots = new Set(jobs.flatMap((job) => job.touched.map(slotOf)));
    counters.begin(slots);
    try {
      return runAll(jobs);
    } finally {
      counters.end(slots);
    }
  }

  /** A log that the disk did not take acknowledges nothing, though readers may have seen it. */
  function onDisk(outcomes: readonly Outcome[]): MaybePromise<readonly Outcome[]> {
    if (outcomes.every((outcome) => "error" in outcome)) return outcomes;
    const fail = (error: unknown): readonly Outcome[] =>
      outcomes.map((outcome) => ("error" in outcome ? outcome : { error }));
    try {
      const synced = sync();
      return synced instanceof Promise ? synced.then(() => outcomes, fail) : outcomes;
    } catch (error) {
      return fail(error);
    }
  }

  function settle(jobs: readonly Job[], outcomes: readonly Outcome[]): void {
    for (const [index, job] of jobs.entries()) {
      const outcome = outcomes[index] as Outcome;
      if ("error" in outcome) job.reject(outcome.error);
      else job.resolve(outcome.value as never);
    }
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
        if (!flushing) schedule(0);
      });
    },
    idle() {
      if (!flushing) return Promise.resolve();
      return new Promise((resolve) => waiting.push(resolve));
    },
  };
}
