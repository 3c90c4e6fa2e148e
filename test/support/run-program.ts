/** What a real program did. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  /** The whole environment: nothing of the caller's leaks in. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly input?: string;
  readonly timeoutMs?: number;
}

/** Runs a program to its end. Resolves whatever its exit code is; throws when it does not end in time. */
export async function runProgram(command: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const timeoutMs = options.timeoutMs ?? 120_000;
  const child = Bun.spawn([...command], {
    stdio: [options.input === undefined ? "ignore" : new Blob([options.input]), "pipe", "pipe"],
    env: options.env ?? process.env,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    timeout: timeoutMs,
    killSignal: "SIGKILL",
  });
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (child.signalCode === "SIGKILL") {
    throw new Error(`${command.join(" ")} did not end within ${timeoutMs} ms\n${out}${err}`);
  }
  return { code: child.exitCode ?? -1, out, err };
}

/** As `runProgram`; throws with the program's own words when its exit code is not 0. Gives standard output back. */
export async function mustRun(command: readonly string[], options: RunOptions = {}): Promise<string> {
  const ran = await runProgram(command, options);
  if (ran.code !== 0) throw new Error(`${command.join(" ")} failed with ${ran.code}\n${ran.out}${ran.err}`);
  return ran.out;
}
