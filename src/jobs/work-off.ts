import type { Job, Setback } from "#catalog";
import { AppError, type Context, type ErrorCode, isOwnFault, toAppError } from "#core";
import type { JobKind, JobParts } from "./contract.ts";
import { jobLimits } from "./limits.ts";

/** The input itself is at fault: the same attempt would end the same way. */
const FINAL: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "IMAGE_INVALID",
  "MANIFEST_INVALID",
  "DIGEST_INVALID",
  "SIZE_INVALID",
  "TOO_LARGE",
  "UNSUPPORTED",
  "INVALID_INPUT",
]);

export interface WorkOptions {
  readonly kinds: readonly JobKind[];
  /** A name that no other process has. */
  readonly holder: string;
  readonly leaseMs?: number;
  readonly maxRunMs?: number;
}

/** Does what is due, one job after the other, until nothing is or the context ends. Gives how many it began. */
export async function workOff(parts: JobParts, options: WorkOptions, context: Context): Promise<number> {
  const { catalog } = parts;
  const { leaseMs = jobLimits.leaseMs, maxRunMs = jobLimits.maxRunMs, holder } = options;
  const kinds = options.kinds.map(({ kind }) => kind);
  let begun = 0;
  while (!context.signal.aborted) {
    const { maxRunning, maxAttempts } = jobLimits;
    const job = await catalog.write([], () =>
      catalog.jobs.take({ kinds, holder, leaseMs, maxRunning, maxAttempts }),
    );
    const kind = options.kinds.find((candidate) => candidate.kind === job?.kind);
    if (job === undefined || kind === undefined) break;
    begun++;
    await attempt(kind, job, parts, { ...options, leaseMs, maxRunMs, context });
  }
  return begun;
}

async function attempt(
  kind: JobKind,
  job: Job,
  parts: JobParts,
  { holder, leaseMs, maxRunMs, context }: Required<WorkOptions> & { readonly context: Context },
): Promise<void> {
  const { catalog } = parts;
  const { log } = context;
  const fields = { kind: job.kind, key: job.key, attempt: job.attempts };
  const lost = new AbortController();
  const late = new AbortController();
  const ending = setTimeout(() => late.abort(), maxRunMs);
  const renewing = setInterval(() => {
    catalog
      .write([], () => catalog.jobs.renew(job.id, holder, leaseMs))
      .then(
        (isMine) => isMine || lost.abort(),
        // The lease has time left: the next renewal may go through.
        (cause: unknown) =>
          log.warn("renewing the lease of a job failed", { ...fields, error: toAppError(cause) }),
      );
  }, leaseMs / 3);
  log.debug("began a job", fields);
  try {
    await kind.run(job, parts, { log, signal: AbortSignal.any([context.signal, lost.signal, late.signal]) });
    await catalog.write([], () => catalog.jobs.finish(job.id, holder));
  } catch (cause) {
    if (lost.signal.aborted) return log.debug("a job is somebody else's, or gone", fields);
    if (context.signal.aborted) return await catalog.write([], () => catalog.jobs.release(job.id, holder));
    const error = late.signal.aborted ? tookTooLong(maxRunMs) : toAppError(cause);
    const setback = toSetback(error, job);
    await catalog.write([], () => catalog.jobs.fail(job.id, holder, setback));
    log.warn(setback.again ? "a job failed and is tried again" : "a job failed", { ...fields, error });
  } finally {
    clearInterval(renewing);
    clearTimeout(ending);
  }
}

function tookTooLong(ms: number): AppError {
  return new AppError("TOO_LARGE", `it took longer than ${ms / 60_000} minutes`);
}

function toSetback(cause: AppError, { attempts }: Job): Setback {
  const { code } = cause;
  // Whoever may pull the image reads it.
  const message = isOwnFault(cause) ? `${cause.row.summary}; the registry's log says more` : cause.message;
  const error = { code, message: message.slice(0, 1000) };
  if (FINAL.has(code)) return { error, again: false, askAgainMs: undefined };
  if (attempts < jobLimits.maxAttempts)
    return { error, again: true, pauseMs: jobLimits.firstPauseMs * 4 ** (attempts - 1) };
  return { error, again: false, askAgainMs: jobLimits.askAgainMs };
}
