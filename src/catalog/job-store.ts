import type { Database } from "bun:sqlite";
import type { Clock } from "#system";

export type JobState = "waiting" | "running" | "failed";

export interface NewJob {
  readonly kind: string;
  /** What it is about: a second job of the same kind and key is the first. */
  readonly key: string;
  /** What the job needs to know, JSON. */
  readonly payload: string;
  /** Whose work it is. */
  readonly project: string;
  /** The image that it is about: without it the job is gone too. */
  readonly repository: string;
  readonly manifest: string;
}

export interface Job {
  readonly id: number;
  readonly kind: string;
  readonly key: string;
  readonly payload: string;
  readonly state: JobState;
  /** How often somebody began it. */
  readonly attempts: number;
  /** Of the last attempt that failed. */
  readonly error: JobError | undefined;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly changedAt: number;
}

export interface JobError {
  readonly code: string;
  readonly message: string;
}

export interface TakeOptions {
  readonly kinds: readonly string[];
  /** Who takes it: a name that no other process has. */
  readonly holder: string;
  readonly leaseMs: number;
  /** So many may be under a lease at once, whoever holds them. */
  readonly maxRunning: number;
  /** A job whose holder died so often is failed. */
  readonly maxAttempts: number;
}

/** What became of an attempt: `again` after a pause, or not by itself; asked for anew it is begun again after `askAgainMs`, never where that is not said. */
export type Setback =
  | { readonly error: JobError; readonly again: true; readonly pauseMs: number }
  | { readonly error: JobError; readonly again: false; readonly askAgainMs: number | undefined };

/**
 * Jobs: waiting, running under a lease, or failed; a job that is done is no row. Everything here is called inside `read` or `write`
 * (touching nothing: no answer depends on it), so that a lease is taken by one process alone.
 */
export interface JobStore {
  /** The job of this kind and key, made where there is none; undefined where its image is not there (any more). */
  enqueue(job: NewJob): Job | undefined;
  find(kind: string, key: string): Job | undefined;
  /** The oldest that is due, or whose holder let its lease end; undefined where there is none, or enough are running. */
  take(options: TakeOptions): Job | undefined;
  /** Makes the lease longer; false when the job is somebody else's by now, or gone. */
  renew(id: number, holder: string, leaseMs: number): boolean;
  /** Gives a job back unfinished, as if nobody had begun it. */
  release(id: number, holder: string): void;
  finish(id: number, holder: string): void;
  fail(id: number, holder: string, setback: Setback): void;
  /** Would `take` give something now? */
  isDue(kinds: readonly string[], maxRunning: number): boolean;
  /** Failed jobs of a project may be asked for again. */
  forgetFailed(projectId: number): void;
  countByState(): readonly { readonly kind: string; readonly state: JobState; readonly jobs: number }[];
  /** Jobs of a project that are not done, oldest first, at most `limit`. */
  listOfProject(projectId: number, limit: number): readonly Job[];
}

interface JobRow {
  readonly id: number;
  readonly kind: string;
  readonly key: string;
  readonly payload: string;
  readonly state: JobState;
  readonly attempts: number;
  readonly due_at: number | null;
  readonly error_code: string | null;
  readonly error_message: string | null;
  readonly created_at: number;
  readonly changed_at: number;
}

const COLUMNS =
  "id, kind, key, payload, state, attempts, due_at, error_code, error_message, created_at, changed_at";
const MINE = "id = ?1 AND state = 'running' AND holder = ?2";
/** Jobs of the kinds ?1 that may be taken at ?2. */
const DUE = `SELECT id FROM jobs WHERE kind IN (SELECT value FROM json_each(?1))
  AND ((state = 'waiting' AND coalesce(due_at, 0) <= ?2) OR (state = 'running' AND lease_until <= ?2))`;
const FREED = "holder = NULL, lease_until = NULL, changed_at = ?3";

export function createJobStore(db: Database, clock: Clock): JobStore {
  const find = db.prepare<JobRow, [string, string]>(
    `SELECT ${COLUMNS} FROM jobs WHERE kind = ?1 AND key = ?2`,
  );
  const add = db.prepare<JobRow, [string, string, string, string, string, string, number]>(
    `INSERT INTO jobs (kind, key, payload, project_id, manifest_id, due_at, created_at, changed_at)
     SELECT ?1, ?2, ?3, (SELECT id FROM projects WHERE name = ?4), id, ?7, ?7, ?7 FROM manifests
     WHERE repository_id = (SELECT id FROM repositories WHERE name = ?5) AND digest = ?6 RETURNING ${COLUMNS}`,
  );
  const again = db.prepare<JobRow, [number, number]>(
    `UPDATE jobs SET state = 'waiting', attempts = 0, due_at = ?2, changed_at = ?2, error_code = NULL, error_message = NULL
     WHERE id = ?1 RETURNING ${COLUMNS}`,
  );
  const failDead = db.prepare<null, [number, number]>(
    `UPDATE jobs SET state = 'failed', holder = NULL, lease_until = NULL, due_at = NULL, changed_at = ?1, error_code = 'INTERNAL',
     error_message = 'the process that worked on it ended ' || attempts || ' times before it was done'
     WHERE state = 'running' AND lease_until <= ?1 AND attempts >= ?2`,
  );
  const running = db.prepare<{ jobs: number }, [number]>(
    "SELECT count(*) AS jobs FROM jobs WHERE state = 'running' AND lease_until > ?1",
  );
  const take = db.prepare<JobRow, [string, number, string, number]>(
    `UPDATE jobs SET state = 'running', attempts = attempts + 1, holder = ?3, lease_until = ?4, changed_at = ?2
     WHERE id = (${DUE} ORDER BY id LIMIT 1) RETURNING ${COLUMNS}`,
  );
  const renew = db.prepare<null, [number, string, number]>(`UPDATE jobs SET lease_until = ?3 WHERE ${MINE}`);
  const release = db.prepare<null, [number, string, number]>(
    `UPDATE jobs SET state = 'waiting', attempts = attempts - 1, due_at = ?3, ${FREED} WHERE ${MINE}`,
  );
  const finish = db.prepare<null, [number, string]>(`DELETE FROM jobs WHERE ${MINE}`);
  const fail = db.prepare<null, [number, string, number, JobState, number | null, string, string]>(
    `UPDATE jobs SET state = ?4, due_at = ?5, error_code = ?6, error_message = ?7, ${FREED} WHERE ${MINE}`,
  );
  const due = db.prepare<{ found: number }, [string, number]>(`SELECT EXISTS (${DUE}) AS found`);
  const forgetFailed = db.prepare<null, [number]>(
    "DELETE FROM jobs WHERE project_id = ?1 AND state = 'failed'",
  );
  const count = db.prepare<{ kind: string; state: JobState; jobs: number }, []>(
    "SELECT kind, state, count(*) AS jobs FROM jobs GROUP BY kind, state ORDER BY kind, state",
  );
  const ofProject = db.prepare<JobRow, [number, number]>(
    `SELECT ${COLUMNS} FROM jobs WHERE project_id = ?1 ORDER BY id LIMIT ?2`,
  );

  return {
    enqueue({ kind, key, payload, project, repository, manifest }) {
      const now = clock.now();
      const known = find.get(kind, key);
      if (known === null) {
        const added = add.get(kind, key, payload, project, repository, manifest, now);
        return added === null ? undefined : toJob(added);
      }
      const mayBeAsked = known.state === "failed" && known.due_at !== null && known.due_at <= now;
      return toJob((mayBeAsked ? again.get(known.id, now) : undefined) ?? known);
    },
    find(kind, key) {
      const row = find.get(kind, key);
      return row === null ? undefined : toJob(row);
    },
    take({ kinds, holder, leaseMs, maxRunning, maxAttempts }) {
      const now = clock.now();
      failDead.run(now, maxAttempts);
      if ((running.get(now)?.jobs ?? 0) >= maxRunning) return undefined;
      const row = take.get(JSON.stringify(kinds), now, holder, now + leaseMs);
      return row === null ? undefined : toJob(row);
    },
    renew: (id, holder, leaseMs) => renew.run(id, holder, clock.now() + leaseMs).changes === 1,
    release(id, holder) {
      release.run(id, holder, clock.now());
    },
    finish(id, holder) {
      finish.run(id, holder);
    },
    fail(id, holder, setback) {
      const now = clock.now();
      const { code, message } = setback.error;
      const wait = setback.again ? setback.pauseMs : setback.askAgainMs;
      const state = setback.again ? "waiting" : "failed";
      fail.run(id, holder, now, state, wait === undefined ? null : now + wait, code, message);
    },
    isDue(kinds, maxRunning) {
      const now = clock.now();
      return due.get(JSON.stringify(kinds), now)?.found === 1 && (running.get(now)?.jobs ?? 0) < maxRunning;
    },
    forgetFailed(projectId) {
      forgetFailed.run(projectId);
    },
    countByState: () => count.all(),
    listOfProject: (projectId, limit) => ofProject.all(projectId, limit).map(toJob),
  };
}

function toJob(row: JobRow): Job {
  const { id, kind, key, payload, state, attempts, error_code: code, error_message: message } = row;
  const error = code === null ? undefined : { code, message: message ?? "" };
  return {
    id,
    kind,
    key,
    payload,
    state,
    attempts,
    error,
    createdAt: row.created_at,
    changedAt: row.changed_at,
  };
}
