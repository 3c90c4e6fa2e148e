import { median } from "../registry/row.ts";

export interface TimedProgram {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly input?: string;
  /** Exit codes that count as well; 0 where nothing is said. */
  readonly codes?: readonly number[];
}

/** Runs a program to its end: its output and the milliseconds from start to end. Throws with its own words where it failed. */
export async function timeRun(program: TimedProgram): Promise<{ readonly ms: number; readonly out: string }> {
  const started = performance.now();
  const child = Bun.spawn([...program.command], {
    stdio: [program.input === undefined ? "ignore" : new Blob([program.input]), "pipe", "pipe"],
    env: program.env,
    ...(program.cwd === undefined ? {} : { cwd: program.cwd }),
  });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  const ms = performance.now() - started;
  if (!(program.codes ?? [0]).includes(code))
    throw new Error(`${program.command.join(" ")} failed with ${code}\n${`${out}${err}`.slice(-2000)}`);
  return { ms, out };
}

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
