import type { Scratch } from "../../test/support/scratch.ts";
import type { Content } from "./content.ts";
import { measureHeads } from "./head-load.ts";
import { readUsage } from "./process-tree.ts";
import { measureRequests } from "./request-load.ts";
import { allOf, atLeast, cpuAtMost, type Measure, measureInterleaved, type Row } from "./row.ts";
import { type BenchServer, largeRepository, type Settings, smallRepository } from "./server.ts";
import { measureDownload } from "./transfer.ts";

export interface ReadingOptions {
  readonly scratch: Scratch;
  readonly settings: Settings;
  readonly servers: readonly BenchServer[];
  readonly content: Content;
}

/** Manifests, blob heads and blobs, over plain HTTP. */
export async function measureReading(options: ReadingOptions): Promise<Row[]> {
  const { settings, servers, content } = options;
  const manifests = `/v2/${smallRepository}/manifests`;
  const byDigest = `${manifests}/${content.image.manifestDigest}`;
  const blob = `/v2/${smallRepository}/blobs/${content.imageBlobDigest}`;
  const rows: Row[] = [];
  const add = async (work: string, goal: string, factor: number, measure: Measure): Promise<void> => {
    const samples = await measureInterleaved(servers, settings, measure);
    const verdict = atLeast(samples, "distribution", factor);
    rows.push({ work, unit: "requests/s", decimals: 0, goal, samples, verdict });
  };
  await add(
    "manifest GET by digest, 32 connections",
    "≥ 10 × Distribution, the Bearer token checked each time",
    10,
    requests(options, byDigest, 32),
  );
  await add(
    "manifest GET by tag, 32 connections",
    "≥ 10 × Distribution",
    10,
    requests(options, `${manifests}/${content.image.tag}`, 32),
  );
  await add("manifest GET by digest, 1 connection", "≥ 3 × Distribution", 3, requests(options, byDigest, 1));
  await add("blob HEAD, 32 connections", "≥ 6 × Distribution", 6, async (server) => {
    const authorization = await server.authorize(smallRepository);
    const load = { url: server.url + blob, authorization, connections: 32, seconds: settings.seconds };
    return { value: await measureHeads(load) };
  });
  const samples = await measureInterleaved(servers, settings, downloads(options));
  rows.push({
    work: `blob GET ${megabytes(settings)}, 4 connections`,
    unit: "GB/s (CPU s/GB)",
    decimals: 2,
    goal: "≥ 1 × nginx at ≤ its CPU",
    samples,
    verdict: allOf(atLeast(samples, "nginx", 1), cpuAtMost(samples, "nginx", 1)),
  });
  return rows;
}

/** The same two that matter most, over TLS. */
export async function measureTlsReading(options: ReadingOptions): Promise<Row[]> {
  const { settings, servers, content } = options;
  const byDigest = `/v2/${smallRepository}/manifests/${content.image.manifestDigest}`;
  const manifest = await measureInterleaved(servers, settings, requests(options, byDigest, 32));
  const blob = await measureInterleaved(servers, settings, downloads(options));
  return [
    {
      work: "manifest GET by digest over TLS, 32 connections",
      unit: "requests/s",
      decimals: 0,
      goal: "–",
      samples: manifest,
      verdict: undefined,
    },
    {
      work: `blob GET ${megabytes(settings)} over TLS, 4 connections`,
      unit: "GB/s (CPU s/GB)",
      decimals: 2,
      goal: "≥ 0.8 × nginx over TLS",
      samples: blob,
      verdict: atLeast(blob, "nginx", 0.8),
    },
  ];
}

function requests({ scratch, settings }: ReadingOptions, path: string, connections: number): Measure {
  return async (server) => {
    const rate = await measureRequests(scratch, {
      url: server.url + path,
      connections,
      authorization: await server.authorize(smallRepository),
      seconds: settings.seconds,
    });
    return { value: rate.perSecond };
  };
}

function downloads({ settings, content }: ReadingOptions): Measure {
  return async (server) => {
    const authorization = await server.authorize(largeRepository);
    const before = readUsage(server.pid).cpuSeconds;
    const value = await measureDownload({
      url: `${server.url}/v2/${largeRepository}/blobs/${content.largeDigest}`,
      authorization,
      connections: 4,
      timesEach: settings.downloadsEach,
      sizeBytes: settings.largeBytes,
    });
    const gigabytes = (4 * settings.downloadsEach * settings.largeBytes) / 1e9;
    return { value, cpuPerGb: (readUsage(server.pid).cpuSeconds - before) / gigabytes };
  };
}

export function megabytes(settings: Settings): string {
  return `${settings.largeBytes / 1024 / 1024} MB`;
}
