import { mkdirSync, writeFileSync } from "node:fs";
import { freePort } from "../../test/support/distribution.ts";
import { findProgram, programPath } from "../../test/support/programs.ts";
import type { Scratch } from "../../test/support/scratch.ts";
import { readUsage } from "./process-tree.ts";
import { median, type Row, type Samples } from "./row.ts";
import type { BenchServer, ServerName, Settings } from "./server.ts";

/** Resident memory of all, at rest: after start and one page shown by ours. */
export async function measureIdleMemory(servers: readonly BenchServer[]): Promise<Row> {
  const ours = servers.find((server) => server.name === "wharf");
  if (ours !== undefined) await (await fetch(ours.url)).arrayBuffer();
  await Bun.sleep(3000);
  const samples = memoryOf(servers, "residentMb");
  const words = `${(samples.wharf?.value ?? 0).toFixed(0)} MB`;
  return {
    work: "idle memory (nginx: all its workers)",
    unit: "MB",
    decimals: 0,
    goal: "≤ 56, tokens and all, after one page was shown",
    samples,
    verdict: { met: (samples.wharf?.value ?? Number.POSITIVE_INFINITY) <= 56, words },
  };
}

/** The highest that each was seen at, after everything else. */
export function measurePeakMemory(servers: readonly BenchServer[]): Row {
  const samples = memoryOf(servers, "peakMb");
  const words = `${(samples.wharf?.value ?? 0).toFixed(0)} MB`;
  return {
    work: "peak memory under all of the above",
    unit: "MB",
    decimals: 0,
    goal: "≤ 120",
    samples,
    verdict: { met: (samples.wharf?.value ?? Number.POSITIVE_INFINITY) <= 120, words },
  };
}

function memoryOf(servers: readonly BenchServer[], what: "residentMb" | "peakMb"): Samples {
  return Object.fromEntries(servers.map((server) => [server.name, { value: readUsage(server.pid)[what] }]));
}

/** Milliseconds from the start of the process to its first answer, with no data and with the data of this run (servers stopped). */
export async function measureStart(options: {
  readonly scratch: Scratch;
  readonly settings: Settings;
  readonly wharf: readonly string[];
  readonly dataFolders: Readonly<Partial<Record<ServerName, string>>>;
}): Promise<Row[]> {
  const { scratch, settings, wharf, dataFolders } = options;
  let empty = 0;
  const ours = (data: string | undefined, port: number): string[] => [
    ...wharf,
    "serve",
    "--data",
    data ?? scratch.at(`empty-${empty++}`),
    "--listen",
    `127.0.0.1:${port}`,
  ];
  const theirs = (data: string | undefined, port: number): string[] => {
    const folder = scratch.at(`start-${empty++}`);
    mkdirSync(folder);
    const config = {
      version: "0.1",
      storage: { filesystem: { rootdirectory: data ?? `${folder}/data` } },
      http: { addr: `127.0.0.1:${port}` },
      log: { level: "error" },
    };
    writeFileSync(`${folder}/config.yml`, JSON.stringify(config));
    return [programPath("registry"), "serve", `${folder}/config.yml`];
  };
  const rows: Row[] = [];
  for (const filled of [false, true]) {
    const times: Partial<Record<ServerName, number[]>> = {};
    for (let round = 0; round < settings.rounds; round += 1) {
      const data = (name: ServerName) => (filled ? dataFolders[name] : undefined);
      (times.wharf ??= []).push(await timeToAnswer((port) => ours(data("wharf"), port), scratch));
      if (findProgram("registry") !== undefined) {
        (times.distribution ??= []).push(
          await timeToAnswer((port) => theirs(data("distribution"), port), scratch),
        );
      }
    }
    const samples: Samples = Object.fromEntries(
      Object.entries(times).map(([name, values]) => [name, { value: median(values) }]),
    );
    rows.push({
      work: `start to first answer, ${filled ? `${settings.repositories} repositories` : "empty"}`,
      unit: "ms",
      decimals: 0,
      goal: "≤ 70, as the compiled program",
      samples,
      verdict: {
        met: (samples.wharf?.value ?? Number.POSITIVE_INFINITY) <= 70,
        words: `${(samples.wharf?.value ?? 0).toFixed(0)} ms`,
      },
    });
  }
  return rows;
}

async function timeToAnswer(command: (port: number) => string[], scratch: Scratch): Promise<number> {
  const port = freePort();
  const started = performance.now();
  const child = Bun.spawn(command(port), {
    stdio: ["ignore", "ignore", "ignore"],
    env: { PATH: process.env.PATH ?? "", HOME: scratch.path, OTEL_TRACES_EXPORTER: "none" },
  });
  try {
    for (;;) {
      const answer = await fetch(`http://127.0.0.1:${port}/v2/`).catch(() => undefined);
      if (answer !== undefined) return performance.now() - started;
      if (child.exitCode !== null || performance.now() - started > 20_000) {
        throw new Error(`${command(port)[0]} did not start`);
      }
      await Bun.sleep(1);
    }
  } finally {
    child.kill();
    await child.exited;
  }
}
