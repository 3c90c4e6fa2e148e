import type { Scratch } from "../../test/support/scratch.ts";
import type { Content } from "./content.ts";
import { readUsage } from "./process-tree.ts";
import { megabytes } from "./reading.ts";
import { allOf, atLeast, cpuAtMost, type Measure, measureInterleaved, type Row } from "./row.ts";
import { type BenchServer, project, type Settings } from "./server.ts";
import { measureSmallPushes, measureTagPuts } from "./small-pushes.ts";
import { measureUpload, UploadFile } from "./transfer.ts";

export interface WritingOptions {
  readonly scratch: Scratch;
  readonly settings: Settings;
  readonly servers: readonly BenchServer[];
  readonly content: Content;
}

/** The repository that holds as many tags as the settings say, after `measureWriting`. */
export const taggedRepository = `${project}/tags-0`;

const chunkBytes = 16 * 1024 * 1024;

/** Large blobs, small pushes, and a repository that grows. */
export async function measureWriting({
  scratch,
  settings,
  servers,
  content,
}: WritingOptions): Promise<Row[]> {
  const file = new UploadFile(scratch.at("upload"), content.large);
  const uploads =
    (chunk?: number): Measure =>
    async (server) => {
      if (server.target === undefined) return undefined;
      const source = await file.renew();
      const before = readUsage(server.pid).cpuSeconds;
      const value = await measureUpload(server.target, `${project}/uploads`, source, chunk);
      const cpu = readUsage(server.pid).cpuSeconds - before;
      return { value, cpuPerGb: cpu / (source.sizeBytes / 1e9) };
    };
  const whole = await measureInterleaved(servers, settings, uploads());
  const chunked = await measureInterleaved(servers, settings, uploads(chunkBytes));
  const pushes = await measureInterleaved(servers, settings, async (server) => {
    if (server.target === undefined) return undefined;
    const load = { connections: 4, seconds: settings.seconds };
    return { value: await measureSmallPushes(server.target, `${project}/pushes`, load) };
  });
  return [
    {
      work: `blob PUT ${megabytes(settings)}, monolithic`,
      unit: "GB/s (CPU s/GB)",
      decimals: 3,
      goal: "≥ 2 × Distribution with fsync, at ≤ 0.7 × its CPU",
      samples: whole,
      verdict: allOf(atLeast(whole, "distribution", 2), cpuAtMost(whole, "distribution", 0.7)),
    },
    {
      work: `blob PUT ${megabytes(settings)} in 16 MB chunks`,
      unit: "GB/s (CPU s/GB)",
      decimals: 3,
      goal: "≥ 2 × Distribution",
      samples: chunked,
      verdict: atLeast(chunked, "distribution", 2),
    },
    {
      work: "small pushes (config, layer, manifest), 4 at a time",
      unit: "pushes/s",
      decimals: 0,
      goal: "≥ 10 × Distribution, durable",
      samples: pushes,
      verdict: atLeast(pushes, "distribution", 10),
    },
    ...(await measureGrowth(servers, settings)),
  ];
}

async function measureGrowth(servers: readonly BenchServer[], settings: Settings): Promise<Row[]> {
  const first: number[] = [];
  const last: number[] = [];
  const samples = await measureInterleaved(servers, settings, async (server, round) => {
    if (server.target === undefined) return undefined;
    const load = { connections: 4, from: 0, to: settings.tags, parts: 5 };
    const rates = await measureTagPuts(server.target, `${project}/tags-${round}`, load);
    if (server.name === "wharf") {
      first.push(rates[0] ?? 0);
      last.push(rates.at(-1) ?? 0);
    }
    return { value: rates.length / rates.reduce((sum, rate) => sum + 1 / rate, 0) };
  });
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const kept = sum(last) / sum(first);
  return [
    {
      work: `tag PUT while a repository grows to ${settings.tags} tags, 4 connections`,
      unit: "PUTs/s",
      decimals: 0,
      goal: "≥ 5 × Distribution, the last fifth as fast as the first",
      samples,
      verdict: allOf(atLeast(samples, "distribution", 5), {
        // Within the noise of a shared machine.
        met: kept >= 0.9,
        words: `last fifth ${kept.toFixed(2)} × the first`,
      }),
    },
  ];
}
