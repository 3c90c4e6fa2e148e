import type { Fault, LineChange } from "#consumers/faults";
import type { AppError } from "#core";

/** One file that was looked at, and what is wrong in it. */
export interface FileReport {
  /** As in wharf.yaml: `local`, `ssh://HOST`. */
  readonly place: string;
  readonly path: string;
  readonly faults: readonly Fault[];
  /** What mending would do, or did; undefined where nothing can be mended by itself. */
  readonly mending: Mending | undefined;
}

export interface Mending {
  /** In words, one for each fault. */
  readonly says: readonly string[];
  /** Line by line, secrets hidden. */
  readonly changes: readonly LineChange[];
  /** What a person still has to decide. */
  readonly left: readonly Fault[];
  /** Writes it, unless the file is another one by now (CONFLICT). Throws what the place throws. */
  write(): Promise<void>;
}

export interface Examination {
  readonly files: readonly FileReport[];
  /** What could not be looked at, and why. */
  readonly passedOver: readonly { readonly place: string; readonly path: string; readonly error: AppError }[];
}
