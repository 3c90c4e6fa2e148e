import type { BenchServer, ServerName, Settings } from "./server.ts";

/** What was measured once: the figure, and where it means something, the server's CPU seconds for a gigabyte. */
export interface Sample {
  readonly value: number;
  readonly cpuPerGb?: number;
}

/** Medians by server; absent where a server was left out or cannot do it. */
export type Samples = Readonly<Partial<Record<ServerName, Sample>>>;

export interface Verdict {
  readonly met: boolean;
  /** The figure that decides, in plain words: "12.3 × Distribution". */
  readonly words: string;
}

/** One line of the report. */
export interface Row {
  readonly work: string;
  readonly unit: string;
  readonly decimals: number;
  readonly goal: string;
  readonly samples: Samples;
  /** undefined where nobody is there to compare with. */
  readonly verdict: Verdict | undefined;
}

export type Measure = (server: BenchServer, round: number) => Promise<Sample | undefined>;

/** Measures every server in turn, round by round, so that a slow minute of the machine hits all of them. Medians. */
export async function measureInterleaved(
  servers: readonly BenchServer[],
  settings: Settings,
  measure: Measure,
): Promise<Samples> {
  const found = new Map<ServerName, Sample[]>();
  for (let round = 0; round < settings.rounds; round += 1) {
    // Another one begins each time.
    const turn = round % servers.length;
    for (const server of [...servers.slice(turn), ...servers.slice(0, turn)]) {
      const sample = await measure(server, round);
      if (sample !== undefined) found.set(server.name, [...(found.get(server.name) ?? []), sample]);
    }
  }
  return Object.fromEntries([...found].map(([name, samples]) => [name, medianSample(samples)]));
}

function medianSample(samples: readonly Sample[]): Sample {
  const cpu = samples.flatMap((sample) => sample.cpuPerGb ?? []);
  return {
    value: median(samples.map((sample) => sample.value)),
    ...(cpu.length === 0 ? {} : { cpuPerGb: median(cpu) }),
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? 0)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** Ours is at least `factor` times the peer's. */
export function atLeast(samples: Samples, peer: ServerName, factor: number): Verdict | undefined {
  const ratio = ratioOf(samples, peer);
  return ratio === undefined ? undefined : { met: ratio >= factor, words: `${times(ratio)} ${title(peer)}` };
}

/** Ours is at most `share` of the peer's: for times. */
export function atMost(samples: Samples, peer: ServerName, share: number): Verdict | undefined {
  const ratio = ratioOf(samples, peer);
  return ratio === undefined ? undefined : { met: ratio <= share, words: `${times(ratio)} ${title(peer)}` };
}

/** Ours costs at most `share` of the peer's CPU for the same bytes. */
export function cpuAtMost(samples: Samples, peer: ServerName, share: number): Verdict | undefined {
  const [ours, theirs] = [samples.wharf?.cpuPerGb, samples[peer]?.cpuPerGb];
  if (ours === undefined || theirs === undefined || theirs === 0) return undefined;
  return { met: ours / theirs <= share, words: `${times(ours / theirs)} its CPU` };
}

export function allOf(...verdicts: readonly (Verdict | undefined)[]): Verdict | undefined {
  const known = verdicts.filter((verdict) => verdict !== undefined);
  if (known.length === 0) return undefined;
  return {
    met: known.every((verdict) => verdict.met),
    words: known.map((verdict) => verdict.words).join(", "),
  };
}

function ratioOf(samples: Samples, peer: ServerName): number | undefined {
  const [ours, theirs] = [samples.wharf?.value, samples[peer]?.value];
  return ours === undefined || theirs === undefined || theirs === 0 ? undefined : ours / theirs;
}

function times(ratio: number): string {
  return `${ratio >= 10 ? ratio.toFixed(1) : ratio.toFixed(2)} ×`;
}

function title(name: ServerName): string {
  return name === "distribution" ? "Distribution" : name;
}
