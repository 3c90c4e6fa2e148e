import type { EntryChange, Merged, Refusal, Warning } from "#consumers";
import type { AppError } from "#core";

/**
 * Why an entry changes. `new`: never delivered there. `changed here`: wharf.yaml or the vault says something else now. `changed there`:
 * somebody changed or removed what we wrote (drift). `gone here`: it left wharf.yaml, so it is pruned.
 */
export type ChangeCause = "new" | "changed here" | "changed there" | "gone here";

/** A change of one entry of a file; without secrets. */
export interface PlannedChange extends EntryChange {
  readonly cause: ChangeCause | undefined;
}

/** One file of one target, as it will be. Prints without content: `merge` makes it again from what is there when it is written. */
export interface FilePlan {
  readonly path: string;
  /** `none`: the very same bytes. */
  readonly action: "create" | "update" | "remove" | "none";
  readonly changes: readonly PlannedChange[];
  readonly mode: number;
  /** It holds secrets and others may read it: it is written even where its content stays, and its mode becomes `mode` or stricter. */
  readonly tightens: boolean;
  readonly folderMode: number;
  /** What the file will be, from what is there now. Throws FILE_INVALID. */
  readonly merge: (current: Uint8Array | undefined) => Merged;
  /** Records of the state once this is written: what is ours in this file. */
  readonly records: readonly DeliveredRecord[];
  /** Keys whose records go from the state. */
  readonly forgets: readonly string[];
}

/** A consumer at a place, for one user, with what would change there. */
export interface TargetPlan {
  readonly consumer: string;
  readonly place: string;
  readonly user: string | undefined;
  readonly files: readonly FilePlan[];
  readonly refusals: readonly Refusal[];
  readonly warnings: readonly Warning[];
  /** Logins that the program would not use though they are written, because something is in their way. */
  readonly shadowed: readonly Warning[];
  /** Why nothing can be done at this target; the other targets go on. */
  readonly error: AppError | undefined;
}

export interface Plan {
  readonly targets: readonly TargetPlan[];
}

/** One delivered entry, as `wharf.state` remembers it. Nothing secret, and nothing to guess a secret from. */
export interface DeliveredRecord {
  readonly place: string;
  readonly user: string | undefined;
  readonly consumer: string;
  readonly file: string;
  readonly key: string;
  readonly login: string;
  /** `registry[/path]` of the login when it was delivered. */
  readonly images: string;
  /** HMAC under a key of the vault over place, file, key and the login that was written. */
  readonly mark: string;
  /** When it was written, ISO 8601. */
  readonly time: string;
  /** Options of its delivery (`file:`, `name:`, …): how to read it back once it has left wharf.yaml. undefined: none, or written before records had them. */
  readonly options?: Readonly<Record<string, unknown>> | undefined;
}

/** A program that reads what was written only when it starts, and that was not restarted since. */
export interface PendingRestart {
  readonly place: string;
  readonly consumer: string;
}

/** What became of one restart. */
export interface RestartOutcome extends PendingRestart {
  /** The unit of systemd; undefined where none was found. */
  readonly unit: string | undefined;
  /** `not running`: nothing to restart, since it reads the file when it starts. `not tried`: another one failed before it. */
  readonly state: "restarted" | "not running" | "failed" | "not tried";
  readonly error: AppError | undefined;
}

/** What became of one target. */
export interface TargetOutcome {
  readonly consumer: string;
  readonly place: string;
  readonly user: string | undefined;
  readonly written: readonly { readonly path: string; readonly action: FilePlan["action"] }[];
  /** In words, when what was written counts, where that is not at once. */
  readonly takesEffect: string | undefined;
  /** Its program must be restarted, and `restartPrograms` can do it. */
  readonly canRestart: boolean;
  readonly refusals: readonly Refusal[];
  readonly warnings: readonly Warning[];
  readonly error: AppError | undefined;
}
