import { afterAll, beforeAll } from "bun:test";
import { type KubeCluster, startKubeCluster } from "./kube-cluster.ts";
import { findProgram, needs, needsThat, type Test } from "./programs.ts";
import { createScratch, type Scratch } from "./scratch.ts";

/** The cluster of one test file. */
export interface TestCluster {
  /** A test that needs it: skipped, or failed with CI=true, where it cannot be started. */
  readonly withCluster: Test;
  /** Both are there from `start` on; before that, and where the cluster cannot be started, reading them throws. */
  readonly cluster: KubeCluster;
  readonly scratch: Scratch;
}

export interface TestClusterOptions {
  /** More real programs than the cluster's own. */
  readonly programs?: readonly string[];
  /** Why it needs root, when it does; then every test is skipped without. */
  readonly root?: string;
  /** What the file adds once the cluster runs, within 100 s. Not called where every test is skipped. */
  start?(test: TestCluster): Promise<void>;
  /** Takes that away again, while the cluster still runs; called after a failed `start` too. */
  stop?(): Promise<void>;
}

/** Starts a cluster before the first test of this file and takes it away after the last. Call it once, outside of tests. */
export function useKubeCluster(label: string, options: TestClusterOptions = {}): TestCluster {
  const programs = ["kube", "openssl", ...(options.programs ?? [])];
  const mayRun = options.root === undefined || process.getuid?.() === 0;
  const isThere = mayRun && programs.every((name) => findProgram(name) !== undefined);
  let scratch: Scratch | undefined;
  let cluster: KubeCluster | undefined;
  const test: TestCluster = {
    withCluster: mayRun ? needs(...programs) : needsThat(false, `needs root, ${options.root}`),
    get cluster() {
      return present(cluster);
    },
    get scratch() {
      return present(scratch);
    },
  };
  // A cluster is there in five seconds; on a busy machine it has taken two minutes.
  beforeAll(async () => {
    if (!isThere) return;
    scratch = createScratch(label);
    cluster = await startKubeCluster(scratch);
  }, 300_000);
  beforeAll(async () => {
    if (isThere) await options.start?.(test);
  }, 100_000);
  afterAll(async () => {
    try {
      if (isThere) await options.stop?.();
    } finally {
      await cluster?.stop();
      scratch?.remove();
    }
  }, 60_000);
  return test;
}

function present<T>(value: T | undefined): T {
  if (value === undefined)
    throw new Error("no cluster was started; npm test -- --install-tools installs what it needs");
  return value;
}
