/** How jobs share the machine with the registry that they serve. */
export const jobLimits = {
  /** Under a lease at once, on all processes of a data folder together. */
  maxRunning: 1,
  /** A holder that says nothing for so long is dead. */
  leaseMs: 30_000,
  /** An attempt that takes longer holds up everybody else's. */
  maxRunMs: 2 * 3600_000,
  /** Attempts at a job that fails for a reason that may pass, or whose holder dies. */
  maxAttempts: 3,
  /** Before the second attempt; four times that before the third. */
  firstPauseMs: 5000,
  /** So long after its last attempt such a job may be asked for again. */
  askAgainMs: 10 * 60_000,
  /** How often a server looks for what other processes enqueued, and for leases that ended. */
  lookMs: 2000,
  /** For a worker that was asked to stop. */
  stopMs: 5000,
} as const;
