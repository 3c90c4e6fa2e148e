import type { BlobStore } from "#blobs";
import type { Catalog, Job } from "#catalog";
import type { Context } from "#core";
import type { JobKindName } from "./kind-names.ts";

/** What jobs work with. */
export interface JobParts {
  readonly catalog: Pick<Catalog, "content" | "jobs" | "read" | "write">;
  readonly blobs: BlobStore;
}

/**
 * One kind of work in the background. It may be begun again after an attempt that ended anywhere, and by two processes at once when a lease ran
 * out under the first: its result is the same, and kept in one commit. What it throws is told to whoever asks; it stops when the context ends.
 */
export interface JobKind {
  readonly kind: JobKindName;
  run(job: Job, parts: JobParts, context: Context): Promise<void>;
}
