import type { JobKind } from "../contract.ts";

/** Removes the bytes of a blob that the catalog forgot in the commit that made this job. The key is the object's name. */
export const dropObject: JobKind = {
  kind: "drop-object",
  run: (job, { blobs }) => blobs.remove(job.key),
};
