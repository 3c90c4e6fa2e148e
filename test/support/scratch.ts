import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A temporary folder of one test; `remove` takes it away with all that is in it. */
export interface Scratch {
  readonly path: string;
  /** A path inside it. */
  at(...parts: readonly string[]): string;
  remove(): void;
}

/** Makes one. Its name is short: unix sockets have room for about a hundred characters. */
export function createScratch(label: string): Scratch {
  const path = mkdtempSync(join(tmpdir(), `wharf-${label}-`));
  return {
    path,
    at: (...parts) => join(path, ...parts),
    remove: () => {
      rmSync(path, { recursive: true, force: true });
    },
  };
}
