import { AppError, type Context } from "#core";
import { systemErrorCode } from "./storage-error.ts";

export interface ProgramRun {
  /** The program and its arguments; no shell reads them. Never a secret among them. */
  readonly argv: readonly string[];
  readonly cwd?: string;
  /** The whole environment of the program. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin?: Uint8Array;
  /** What follows `stdin`, read no faster than the program takes it. */
  readonly feed?: () => AsyncIterable<Uint8Array>;
  readonly timeoutMs: number;
  /** Of standard output; more is an error. */
  readonly maxBytes: number;
  /** Of standard error that is kept; 4 KiB unless said. */
  readonly maxErrorBytes?: number;
}

export interface ProgramResult {
  readonly exitCode: number;
  readonly stdout: Uint8Array;
  /** Its beginning: see `maxErrorBytes`. */
  readonly stderr: string;
}

/**
 * Runs a program to its end; its exit code is a value. Throws NOT_FOUND when there is no such program, PROGRAM_FAILED when it takes
 * too long or prints too much (it is ended then), INTERRUPTED when the context ends.
 */
export async function runProgram(context: Context, run: ProgramRun): Promise<ProgramResult> {
  const [program] = run.argv;
  if (program === undefined) throw new AppError("INVALID_INPUT", "no program is named");
  const child = start(run, program);
  const timer = setTimeout(() => child.kill("SIGKILL"), run.timeoutMs);
  const stop = (): void => child.kill("SIGKILL");
  context.signal.addEventListener("abort", stop, { once: true });
  const began = performance.now();
  try {
    const [stdout, stderr] = await Promise.all([
      collect(child.stdout, run.maxBytes, stop),
      collect(child.stderr, run.maxErrorBytes ?? 4096, undefined),
      feed(child, run, stop),
    ]);
    const exitCode = await child.exited;
    if (context.signal.aborted) throw new AppError("INTERRUPTED", `stopped while ${program} was running`);
    if (child.signalCode !== null && performance.now() - began >= run.timeoutMs)
      throw new AppError("PROGRAM_FAILED", `${program} took longer than ${run.timeoutMs / 1000} seconds`);
    if (stdout === undefined)
      throw new AppError("PROGRAM_FAILED", `${program} printed more than ${run.maxBytes} bytes`);
    return { exitCode, stdout, stderr: new TextDecoder().decode(stderr ?? new Uint8Array()) };
  } finally {
    clearTimeout(timer);
    context.signal.removeEventListener("abort", stop);
  }
}

type Child = Bun.Subprocess<Uint8Array | "ignore" | "pipe", "pipe", "pipe">;

function start(run: ProgramRun, program: string): Child {
  try {
    return Bun.spawn([...run.argv], {
      ...(run.cwd === undefined ? {} : { cwd: run.cwd }),
      env: { ...run.env },
      stdin: run.feed === undefined ? (run.stdin ?? "ignore") : "pipe",
      stdout: "pipe",
      stderr: "pipe",
    });
  } catch (cause) {
    throw new AppError("NOT_FOUND", `there is no program ${program}`, {
      hint: "check its name and PATH",
      cause,
    });
  }
}

/** A program that ends early, or closes its input, has said why by itself. What cannot be read is thrown, and ends the program. */
async function feed(child: Child, run: ProgramRun, stop: () => void): Promise<void> {
  const { stdin } = child;
  if (run.feed === undefined || stdin === undefined || typeof stdin === "number") return;
  const give = async (chunk: Uint8Array): Promise<boolean> => {
    try {
      await Promise.race([Promise.all([stdin.write(chunk), stdin.flush()]), child.exited]);
      return child.exitCode === null && child.signalCode === null;
    } catch (cause) {
      if (systemErrorCode(cause) === "EPIPE") return false;
      throw cause;
    }
  };
  try {
    if (await give(run.stdin ?? new Uint8Array()))
      for await (const chunk of run.feed()) if (!(await give(chunk))) break;
    await stdin.end();
  } catch (cause) {
    if (systemErrorCode(cause) === "EPIPE") return;
    stop();
    throw cause;
  }
}

/** All of a stream up to `maxBytes`; beyond that undefined after `tooMuch`, or just the beginning where `tooMuch` is not given. */
async function collect(
  stream: ReadableStream<Uint8Array>,
  maxBytes: number,
  tooMuch: (() => void) | undefined,
): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    if (length + chunk.length > maxBytes && tooMuch !== undefined) {
      tooMuch();
      return undefined;
    }
    if (length < maxBytes) chunks.push(chunk.subarray(0, maxBytes - length));
    length += chunk.length;
  }
  return Buffer.concat(chunks);
}
