import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Scratch } from "../test/support/scratch.ts";

/** A new folder in a scratch folder, for one of several that share it; it goes with the whole. */
export function insideScratch(scratch: Scratch, name: string): Scratch {
  mkdirSync(scratch.at(name), { mode: 0o700 });
  return {
    path: scratch.at(name),
    at: (...parts) => join(scratch.path, name, ...parts),
    remove: () => undefined,
  };
}
