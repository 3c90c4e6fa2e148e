import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { mustRun } from "../support/run-program.ts";
import type { Scratch } from "../support/scratch.ts";
import { type Credentials, wharfFromSource } from "../support/wharf-process.ts";

/** The home of a person who has only what was delivered to it, and the environment of a program started there. */
export interface Home {
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
}

/** A home without a login. */
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

/** What its owner types: `wharf login`, a few lines of wharf.yaml, `wharf apply`. */
export async function deliverLogin(
  home: Home,
  host: string,
  credentials: Credentials,
  consumers: readonly string[],
  options: readonly string[] = [],
): Promise<void> {
  const config = join(home.path, "wharf.yaml");
  const wharf = (args: readonly string[], input?: string): Promise<string> =>
    mustRun([...wharfFromSource, ...args, "--config", config], {
      env: home.env,
      cwd: home.path,
      ...(input === undefined ? {} : { input }),
    });
  await wharf(
    ["login", host, "--username", credentials.username, "--password-stdin", "--as", "lab", ...options],
    credentials.secret,
  );
  const lines = consumers.map((consumer) => `  - { to: ${consumer}, at: local, logins: [lab] }\n`);
  appendFileSync(config, `deliver:\n${lines.join("")}`);
  await wharf(["apply", "--yes"]);
}
