import { afterEach, expect, test } from "bun:test";
import type { JobStore } from "#catalog";
import { silentLogger } from "#core";
import { until } from "../../test/support/until.ts";
import { type JobSupervisor, superviseJobs } from "./supervise.ts";

/** A worker that ends when the test says so. */
class Worker {
  readonly pid = 0;
  readonly #end = Promise.withResolvers<number>();
  readonly ended = this.#end.promise;
  isAskedToStop = false;
  isKilled = false;

  stop(): void {
    this.isAskedToStop = true;
  }

  kill(): void {
    this.isKilled = true;
  }

  end(exitCode: number): void {
    this.#end.resolve(exitCode);
  }
}

let supervisor: JobSupervisor;
let workers: Worker[];
let isDue: boolean;

function supervise(lookMs: number): void {
  workers = [];
  isDue = false;
  const jobs = { isDue: () => isDue } as Pick<JobStore, "isDue"> as JobStore;
  supervisor = superviseJobs({
    catalog: { jobs, read: (work) => work() },
    log: silentLogger,
    lookMs,
    startWorker: () => {
      const worker = new Worker();
      workers.push(worker);
      return worker;
    },
  });
}
afterEach(async () => {
  const stopped = supervisor.stop();
  for (const worker of workers) worker.end(0);
  await stopped;
});

test("no worker while nothing is due; one at a time while something is", async () => {
  supervise(60_000);
  supervisor.wake();
  expect(workers.length).toBe(0);
  isDue = true;
  supervisor.wake();
  supervisor.wake();
  expect(workers.length).toBe(1);
  // What was enqueued while it ended is not forgotten.
  workers[0]?.end(0);
  await until("another is started", () => workers.length === 2 || undefined, 30_000);
});

test("what other processes enqueued is found without a word", async () => {
  supervise(10);
  isDue = true;
  await until("one is started", () => workers.length === 1 || undefined, 30_000);
});

test("after a worker that ended badly there is a pause", async () => {
  supervise(60_000);
  isDue = true;
  supervisor.wake();
  workers[0]?.end(137);
  await workers[0]?.ended;
  await Promise.resolve();
  supervisor.wake();
  expect(workers.length).toBe(1);
});

test("stopping asks the worker to end, waits for it, and starts no other", async () => {
  supervise(60_000);
  isDue = true;
  supervisor.wake();
  const [worker] = workers;
  let isStopped = false;
  const stopping = supervisor.stop().then(() => {
    isStopped = true;
  });
  await Promise.resolve();
  expect([worker?.isAskedToStop, worker?.isKilled, isStopped]).toEqual([true, false, false]);
  worker?.end(0);
  await stopping;
  supervisor.wake();
  expect(workers.length).toBe(1);
});
