import { mkdirSync, writeFileSync } from "node:fs";
import { programPath } from "./programs.ts";
import { mustRun } from "./run-program.ts";
import type { Scratch } from "./scratch.ts";
import { until } from "./until.ts";

/** A real Distribution 3 on loopback: the peer that the harness itself, our client and the benchmarks are held against. */
export interface Distribution {
  readonly host: string;
  readonly pid: number;
  stop(): Promise<void>;
}

export interface DistributionOptions {
  /** Users and passwords (bcrypt, cost 10 as its documentation says); open to everybody when absent. */
  readonly users?: Readonly<Record<string, string>>;
  readonly tls?: { readonly certificate: string; readonly key: string };
}

/** Starts one with its data under `scratch`; needs the program `registry`, and `htpasswd` for users. */
export async function startDistribution(
  scratch: Scratch,
  options: DistributionOptions = {},
): Promise<Distribution> {
  const folder = scratch.at("distribution");
  mkdirSync(folder, { recursive: true });
  const port = freePort();
  const config: Record<string, unknown> = {
    version: "0.1",
    storage: { filesystem: { rootdirectory: `${folder}/data` }, delete: { enabled: true } },
    http: {
      addr: `127.0.0.1:${port}`,
      ...(options.tls === undefined ? {} : { tls: options.tls }),
    },
    log: { level: "error", accesslog: { disabled: true } },
  };
  if (options.users !== undefined) {
    let lines = "";
    for (const [user, password] of Object.entries(options.users)) {
      lines += await mustRun([programPath("htpasswd"), "-niB", "-C", "10", user], { input: password });
    }
    writeFileSync(`${folder}/htpasswd`, lines, { mode: 0o600 });
    config.auth = { htpasswd: { realm: "peer", path: `${folder}/htpasswd` } };
  }
  // JSON is YAML.
  writeFileSync(`${folder}/config.yml`, JSON.stringify(config));
  const child = Bun.spawn([programPath("registry"), "serve", `${folder}/config.yml`], {
    stdio: ["ignore", Bun.file(`${folder}/log`), Bun.file(`${folder}/log`)],
    env: { PATH: process.env.PATH ?? "", HOME: folder, OTEL_TRACES_EXPORTER: "none" },
  });
  const scheme = options.tls === undefined ? "http" : "https";
  await until("Distribution answers", async () => {
    if (child.exitCode !== null) {
      throw new Error(`Distribution did not start: ${await Bun.file(`${folder}/log`).text()}`);
    }
    const answer = await fetch(`${scheme}://127.0.0.1:${port}/v2/`, {
      tls: { rejectUnauthorized: false },
    }).catch(() => undefined);
    return answer === undefined ? undefined : true;
  });
  return {
    host: `127.0.0.1:${port}`,
    pid: child.pid,
    stop: async () => {
      child.kill();
      await child.exited;
    },
  };
}

/** A port that was free a moment ago, for programs that cannot be given port 0. */
export function freePort(): number {
  const probe = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
  const { port } = probe;
  probe.stop(true);
  return port;
}
