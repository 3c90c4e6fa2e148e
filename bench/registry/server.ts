import type { RegistryTarget } from "../../test/support/registry-calls.ts";

export type ServerName = "wharf" | "distribution" | "nginx";

/** One registry under measurement. */
export interface BenchServer {
  readonly name: ServerName;
  readonly url: string;
  readonly pid: number;
  /** What a reading request to a repository carries: a fresh Bearer token for ours, nothing for open peers. */
  authorize(repository: string): Promise<string | undefined>;
  /** How it is written to; undefined where it cannot be (nginx). For ours with a robot's secret. */
  readonly target: RegistryTarget | undefined;
  stop(): Promise<void>;
}

/** How much of everything. */
export interface Settings {
  readonly rounds: number;
  readonly seconds: number;
  readonly largeBytes: number;
  readonly downloadsEach: number;
  readonly tags: number;
  readonly manyTags: number;
  readonly repositories: number;
}

export const fullSettings: Settings = {
  rounds: 5,
  seconds: 3,
  largeBytes: 256 * 1024 * 1024,
  downloadsEach: 4,
  tags: 5000,
  manyTags: 100_000,
  repositories: 2000,
};

/** To see that the benchmark itself works: its figures say nothing. */
export const quickSettings: Settings = {
  rounds: 1,
  seconds: 1,
  largeBytes: 32 * 1024 * 1024,
  downloadsEach: 2,
  tags: 500,
  manyTags: 1000,
  repositories: 200,
};

/** The project that everything is in, and its repositories. */
export const project = "bench";
export const smallRepository = `${project}/small`;
export const largeRepository = `${project}/large`;
