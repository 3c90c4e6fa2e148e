import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Scratch } from "../support/scratch.ts";

/** The home of a person who has only what was delivered to it, and the environment of a program started there. */
export interface Home {
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
}

/** An empty home: no login in it. */
export function createHome(scratch: Scratch, name: string): Home {
  const path = scratch.at(name);
  const run = join(path, "run");
  mkdirSync(join(path, ".config", "containers"), { recursive: true });
  mkdirSync(run, { mode: 0o700 });
  // Podman and friends refuse every image where no policy says otherwise; Debian's package has one, others may not.
  writeFileSync(
    join(path, ".config", "containers", "policy.json"),
    '{"default":[{"type":"insecureAcceptAnything"}]}',
  );
  return {
    path,
    env: {
      HOME: path,
      XDG_RUNTIME_DIR: run,
      PATH: `${process.env.PATH ?? ""}:/usr/sbin:/sbin`,
      TMPDIR: scratch.path,
    },
  };
}
