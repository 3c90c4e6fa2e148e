import { type Logger, toAppError } from "#core";
import { type Clock, probeWritable, readFreeBytes } from "#system";

/** Below this much room no push can be promised. */
const LEAST_FREE_BYTES = 64 * 1024 * 1024;
/** Anybody may ask, so the disk is asked at most this often. */
const REMEMBER_MS = 2_000;

export type ServerState = "STARTING" | "ok" | "STOPPING";

export interface ReadinessParts {
  readonly dataDir: string;
  /** Throws when the database does not answer. */
  readonly checkDatabase: () => unknown;
  readonly state: () => ServerState;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What `/readyz` says: `ok`, or a word why not, for each thing that a request needs. */
export interface Readiness {
  readonly ready: boolean;
  readonly checks: Readonly<Record<"database" | "disk" | "process", string>>;
}

/** Asks whether a request would be served. Never throws; says codes only, for the caller is anybody. */
export function createReadiness(parts: ReadinessParts): () => Promise<Readiness> {
  let remembered: { readonly until: number; readonly disk: Promise<string> } | undefined;
  const disk = (): Promise<string> => {
    const now = parts.clock.monotonicMs();
    if (remembered === undefined || now > remembered.until)
      remembered = { until: now + REMEMBER_MS, disk: tell(parts, "disk", () => checkDisk(parts.dataDir)) };
    return remembered.disk;
  };
  return async () => {
    const checks = {
      database: await tell(parts, "database", parts.checkDatabase),
      disk: await disk(),
      process: parts.state(),
    };
    return { ready: Object.values(checks).every((word) => word === "ok"), checks };
  };
}

async function checkDisk(dataDir: string): Promise<string | undefined> {
  if ((await readFreeBytes(dataDir)) < LEAST_FREE_BYTES) return "STORAGE_FULL";
  await probeWritable(dataDir);
  return undefined;
}

async function tell(parts: ReadinessParts, what: string, check: () => unknown): Promise<string> {
  try {
    const word = await check();
    return typeof word === "string" ? word : "ok";
  } catch (cause) {
    const error = toAppError(cause);
    parts.log.warn("not ready", { what, error });
    return error.code;
  }
}
