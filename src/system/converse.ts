import { AppError, type Context } from "#core";
import type { ProgramRun } from "./run-program.ts";

/** How a program ended that was talked with. */
export interface ConversationEnd {
  readonly exitCode: number;
  /** At most 4 KiB of it. */
  readonly stderr: string;
}

export interface ConversationLimits {
  readonly timeoutMs: number;
  /** Of one answer. */
  readonly maxBytes: number;
}

/** A program that is asked several things over its standard input, one after another. It does not keep this process alive. */
export interface Conversation {
  /** It has ended, or was told to: nothing more can be asked. */
  readonly isOver: boolean;
  readonly ended: Promise<ConversationEnd>;
  /** Resolves when it prints something for the first time, or has ended. */
  readonly begun: Promise<void>;
  /**
   * Says something, and gives what is printed from then until the line `last`, that line included; or until the program ended, which is
   * no error. Throws PROGRAM_FAILED when it takes too long or prints too much, INTERRUPTED when the context ends: it is ended then.
   */
  ask(context: Context, words: Uint8Array, last: string, limits: ConversationLimits): Promise<Uint8Array>;
  /** Nothing more will be said: it ends by itself, or is ended some seconds later. */
  close(): void;
}

const MAX_STDERR_BYTES = 4096;
const CLOSING_MS = 5_000;

/** Starts a program to talk with. Throws NOT_FOUND when there is no such program. */
export function converse(run: Pick<ProgramRun, "argv" | "env">): Conversation {
  const [program = ""] = run.argv;
  const child = start(run, program);
  child.unref();
  let chunks: Uint8Array[] = [];
  let length = 0;
  let heard: () => void = () => undefined;
  let isOver = false;
  const begun = Promise.withResolvers<void>();
  const stdout = child.stdout.getReader();
  const stderr = child.stderr.getReader();
  let said = "";
  const output = Promise.all([
    readAll(stdout, (chunk) => {
      chunks.push(chunk);
      length += chunk.length;
      begun.resolve();
      heard();
    }),
    readAll(stderr, (chunk) => {
      if (said.length < MAX_STDERR_BYTES) said += new TextDecoder().decode(chunk);
    }),
  ]);
  const ended = (async () => {
    await output;
    const exitCode = await child.exited;
    isOver = true;
    begun.resolve();
    heard();
    return { exitCode, stderr: said.slice(0, MAX_STDERR_BYTES) };
  })();
  const kill = (): void => {
    isOver = true;
    child.kill("SIGKILL");
    // Something that it started may hold its output open.
    for (const reader of [stdout, stderr]) void reader.cancel().catch(() => undefined);
    heard();
  };

  return {
    get isOver() {
      return isOver;
    },
    ended,
    begun: begun.promise,
    async ask(context, words, last, { timeoutMs, maxBytes }) {
      chunks = [];
      length = 0;
      if (context.signal.aborted) kill();
      let hasTimedOut = false;
      const timer = setTimeout(() => {
        hasTimedOut = true;
        kill();
      }, timeoutMs);
      context.signal.addEventListener("abort", kill, { once: true });
      try {
        const mark = Buffer.from(`${last}\n`);
        const done = new Promise<void>((resolve) => {
          heard = () => {
            if (isOver || length > maxBytes || endsWith(chunks, mark)) resolve();
          };
        });
        heard();
        say(child.stdin, words);
        await done;
        if (context.signal.aborted) throw new AppError("INTERRUPTED", `stopped while ${program} was running`);
        if (hasTimedOut)
          throw new AppError("PROGRAM_FAILED", `${program} took longer than ${timeoutMs / 1000} seconds`);
        if (length > maxBytes) {
          kill();
          throw new AppError("PROGRAM_FAILED", `${program} printed more than ${maxBytes} bytes`);
        }
        // What it printed before its end has been read then.
        if (isOver) await output;
        return Buffer.concat(chunks);
      } finally {
        clearTimeout(timer);
        context.signal.removeEventListener("abort", kill);
        heard = () => undefined;
      }
    },
    close() {
      if (isOver) return;
      isOver = true;
      void Promise.resolve(child.stdin.end()).catch(() => undefined);
      const timer = setTimeout(kill, CLOSING_MS);
      timer.unref();
      void child.exited.then(() => clearTimeout(timer));
    },
  };
}

type Reader = { read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }> };
type Child = Bun.Subprocess<"pipe", "pipe", "pipe">;

function start({ argv, env }: Pick<ProgramRun, "argv" | "env">, program: string): Child {
  try {
    return Bun.spawn([...argv], { env: { ...env }, stdin: "pipe", stdout: "pipe", stderr: "pipe" });
  } catch (cause) {
    throw new AppError("NOT_FOUND", `there is no program ${program}`, {
      hint: "check its name and PATH",
      cause,
    });
  }
}

/** Who cannot hear it has ended, and that is told by its end. */
function say(stdin: Child["stdin"], words: Uint8Array): void {
  const ignore = (): void => undefined;
  try {
    void Promise.resolve(stdin.write(words)).catch(ignore);
    void Promise.resolve(stdin.flush()).catch(ignore);
  } catch {
    ignore();
  }
}

async function readAll(reader: Reader, tell: (chunk: Uint8Array) => void): Promise<void> {
  for (;;) {
    const { done, value } = await reader.read();
    if (done || value === undefined) return;
    tell(value);
  }
}

function endsWith(chunks: readonly Uint8Array[], mark: Buffer): boolean {
  let tail = Buffer.alloc(0);
  for (let index = chunks.length - 1; index >= 0 && tail.length < mark.length; index--)
    tail = Buffer.concat([chunks[index] ?? new Uint8Array(), tail]);
  return tail.length >= mark.length && tail.subarray(tail.length - mark.length).equals(mark);
}
