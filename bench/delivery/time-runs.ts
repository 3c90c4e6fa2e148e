import { median } from "../registry/row.ts";

export interface TimedProgram {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly input?: string;
  /** Exit codes that count as well; 0 where nothing is said. */
  readonly codes?: readonly number[];
}

export interface TimedRun {
  /** From start to end. */
  readonly ms: number;
  readonly out: string;
  /** Of it and of what it started: processor time, and what went to files (pages made dirty, whether or not they reached the disk). */
  readonly cpuMs: number;
  readonly writtenBytes: number;
}

/** Runs a program to its end. Throws with its own words where it failed. `watch` is told its process number. */
export async function timeRun(program: TimedProgram, watch?: (pid: number) => void): Promise<TimedRun> {
  const started = performance.now();
  const child = Bun.spawn([...program.command], {
    stdio: [program.input === undefined ? "ignore" : new Blob([program.input]), "pipe", "pipe"],
    env: program.env,
    ...(program.cwd === undefined ? {} : { cwd: program.cwd }),
  });
  watch?.(child.pid);
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  const ms = performance.now() - started;
  if (!(program.codes ?? [0]).includes(code))
    throw new Error(`${program.command.join(" ")} failed with ${code}\n${`${out}${err}`.slice(-2000)}`);
  const usage = child.resourceUsage();
  return {
    ms,
    out,
    cpuMs: Number(usage?.cpuTime.total ?? Number.NaN) / 1000,
    writtenBytes: (usage?.ops.out ?? Number.NaN) * RUSAGE_BLOCK_BYTES,
  };
}

// getrusage(2), ru_oublock.
const RUSAGE_BLOCK_BYTES = 512;

/** Medians of several programs that run in turn, so that a slow minute of the machine hits all of them; the first run of each does not count. */
export async function timeInTurn(
  programs: readonly TimedProgram[],
  times: number,
): Promise<readonly number[]> {
  const found = programs.map((): number[] => []);
  for (let round = 0; round <= times; round++)
    for (const [index, program] of programs.entries()) {
      const { ms } = await timeRun(program);
      if (round > 0) found[index]?.push(ms);
    }
  return found.map(median);
}
