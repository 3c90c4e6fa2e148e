import { afterAll, beforeAll } from "bun:test";
import type { Logger } from "#core";
import { type RunningServer, startServer } from "#server";
import { parseServeOptions, type ServeValues } from "#server/options";
import { type Clock, createLogger, systemClock } from "#system";
import { createScratch, type Scratch } from "./scratch.ts";

/** Bare servers of one test file, as `wharf serve` starts them. */
export interface Servers {
  /** The folder of the whole file, with the servers' data folders in it. */
  readonly scratch: Scratch;
  /** Starts one on loopback with these options of `wharf serve`, at a data folder of its own unless one is said. */
  readonly start: (values?: ServeValues, clock?: Clock) => Promise<StartedServer>;
}

export interface StartedServer {
  readonly server: RunningServer;
  readonly dataDir: string;
  /** What it has logged so far. */
  readonly lines: readonly string[];
}

/** Call it once, outside of tests: after the last of them every server is stopped that still runs, and the folder goes. */
export function useServers(): Servers {
  const running: RunningServer[] = [];
  let scratch: Scratch | undefined;
  let folders = 0;
  beforeAll(() => {
    scratch = createScratch("server");
  });
  afterAll(async () => {
    await Promise.all(running.map((server) => server.stop(AbortSignal.abort())));
    scratch?.remove();
  });
  const present = (): Scratch => {
    if (scratch === undefined) throw new Error("the tests have not begun");
    return scratch;
  };
  return {
    get scratch() {
      return present();
    },
    async start(values = {}, clock = systemClock) {
      const dataDir = present().at(`data-${folders++}`);
      const lines: string[] = [];
      const log: Logger = createLogger({
        level: "debug",
        format: "json",
        clock: systemClock,
        write: (line) => lines.push(line),
      });
      const options = parseServeOptions({ data: dataDir, listen: "127.0.0.1:0", ...values }, present().path);
      const server = await startServer(options, { log, clock });
      running.push(server);
      return { server, dataDir, lines };
    },
  };
}

/** A request to a server without TLS. */
export const getFrom = (server: RunningServer, path: string, init?: RequestInit): Promise<Response> =>
  fetch(`${server.url}${path}`, init);
