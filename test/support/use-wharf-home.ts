import { afterAll, afterEach, beforeAll, beforeEach } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type InProcessOptions, type InProcessResult, runCli } from "./run-cli.ts";
import { startTestServer, type TestServer } from "./test-server.ts";

/** A server of ours for one test file, and for each test an empty home at which wharf is run. */
export interface WharfHome {
  /** With the project team. */
  readonly server: TestServer;
  /** The running test's own; taken away after it. */
  readonly home: string;
  /** What wharf is given: nothing but this home, with its folder bin as PATH. */
  readonly env: Readonly<Record<string, string>>;
  /** All that wharf printed, logged and asked so far in this file. */
  readonly shown: readonly string[];
  /** Runs a command line, split at its spaces, in that home. */
  readonly wharf: (args: string, options?: InProcessOptions) => Promise<InProcessResult>;
}

/** Call it once, outside of tests. */
export function useWharfHome(label: string): WharfHome {
  const shown: string[] = [];
  let server: TestServer | undefined;
  let home = "";
  beforeAll(async () => {
    server = await startTestServer();
    await server.createProject("team");
  }, 60_000);
  afterAll(async () => await server?.stop());
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), `wharf-${label}-`));
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));
  return {
    shown,
    get server() {
      if (server === undefined) throw new Error("no server was started");
      return server;
    },
    get home() {
      return home;
    },
    get env() {
      return { HOME: home, PATH: join(home, "bin") };
    },
    async wharf(args, options = {}) {
      const env = { HOME: home, PATH: join(home, "bin"), ...options.env };
      const result = await runCli(args.split(" "), { cwd: home, ...options, env });
      shown.push(result.out, result.err, JSON.stringify(result.logged), JSON.stringify(result.questions));
      return result;
    },
  };
}

/** The paths of all files below a folder. */
export function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
