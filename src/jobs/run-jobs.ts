import { randomBytes } from "node:crypto";
import { openFolderStore } from "#blobs";
import { openCatalog } from "#catalog";
import type { Context } from "#core";
import { workOff } from "./work-off.ts";

/** Does the jobs that are due in a data folder, then returns. */
export async function runJobs(dataDir: string, context: Context): Promise<void> {
  const catalog = await openCatalog({ dir: dataDir });
  try {
    const blobs = await openFolderStore({ dir: dataDir });
    try {
      // What the jobs need is loaded by the process that does them alone.
      const { jobKinds } = await import("./all.ts");
      const holder = `${process.pid}-${randomBytes(8).toString("hex")}`;
      await workOff({ catalog, blobs }, { kinds: jobKinds, holder }, context);
    } finally {
      await blobs.close();
    }
  } finally {
    await catalog.close();
  }
}
