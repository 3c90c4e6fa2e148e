import type { Catalog } from "#catalog";
import { type Logger, toAppError } from "#core";
import type { OwnProgram } from "#system";
import { jobKindNames } from "./kind-names.ts";
import { jobLimits } from "./limits.ts";

export interface SuperviseOptions {
  readonly catalog: Pick<Catalog, "jobs" | "read">;
  readonly log: Logger;
  /** Starts the process that does what is due, then ends. */
  readonly startWorker: () => OwnProgram;
  readonly lookMs?: number;
}

export interface JobSupervisor {
  /** Something was enqueued: look now. */
  wake(): void;
  /** Stops the worker; what it was doing is due again. */
  stop(): Promise<void>;
}

/**
 * Starts a worker of its own process whenever something is due and none of this server's runs: what jobs need of memory and processor is never
 * the server's, and with nothing to do there is no worker.
 */
export function superviseJobs(options: SuperviseOptions): JobSupervisor {
  const { catalog, log, lookMs = jobLimits.lookMs } = options;
  let worker: OwnProgram | undefined;
  let isStopping = false;
  let failures = 0;
  let notBefore = 0;

  function look(): void {
    if (worker !== undefined || isStopping || performance.now() < notBefore) return;
    try {
      if (catalog.read(() => catalog.jobs.isDue(jobKindNames, jobLimits.maxRunning))) start();
    } catch (cause) {
      log.warn("looking for jobs failed", { error: toAppError(cause) });
    }
  }

  function start(): void {
    const started = options.startWorker();
    worker = started;
    void started.ended.then((exitCode) => {
      worker = undefined;
      failures = exitCode === 0 ? 0 : failures + 1;
      if (isStopping) return;
      if (exitCode === 0) return look();
      notBefore = performance.now() + Math.min(60_000, 1000 * 2 ** failures);
      log.warn("the worker that does the jobs ended before its time", { exitCode });
    });
  }

  const looking = setInterval(look, lookMs);
  looking.unref();
  return {
    wake: look,
    async stop() {
      isStopping = true;
      clearInterval(looking);
      if (worker === undefined) return;
      const { ended } = worker;
      worker.stop();
      const late = setTimeout(() => worker?.kill(), jobLimits.stopMs);
      await ended;
      clearTimeout(late);
    },
  };
}
