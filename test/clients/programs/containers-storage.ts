import { mkdirSync } from "node:fs";
import { runProgram } from "../../support/run-program.ts";
import type { Scratch } from "../../support/scratch.ts";

/** A store for podman or buildah inside a test's folder: nothing of it is in /var/lib or stays mounted. */
export function containersStorage(
  scratch: Scratch,
  label: string,
): { readonly flags: readonly string[]; remove(): Promise<void> } {
  const root = scratch.at(`${label}-root`);
  const runRoot = scratch.at(`${label}-run`);
  mkdirSync(root);
  mkdirSync(runRoot);
  return {
    // vfs needs neither a kernel driver nor FUSE, so that it runs on every machine.
    flags: [`--root=${root}`, `--runroot=${runRoot}`, "--storage-driver=vfs"],
    remove: async () => {
      // Some versions bind-mount the root on itself.
      for (const path of [root, runRoot]) await runProgram(["umount", "-q", "-R", path]);
    },
  };
}
