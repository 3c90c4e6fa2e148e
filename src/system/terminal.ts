import { writeSync } from "node:fs";
import { AppError } from "#core";
import { readLine } from "./read-line.ts";

/** Where a command reads and writes; tests give their own. */
export interface Terminal {
  /** Results: what a script would read. One call, one chunk, no newline added. */
  out(text: string): void;
  /** Progress, prompts, warnings. */
  err(text: string): void;
  /** Raw bytes to standard output. */
  outBytes(bytes: Uint8Array): void;
  readonly isOutTerminal: boolean;
  /** Somebody watches what `err` writes: a line may be written over. */
  readonly isErrTerminal: boolean;
  readonly isInTerminal: boolean;
  readonly color: boolean;
  /** All of standard input, at most `maxBytes` (TOO_LARGE above). */
  readIn(maxBytes: number): Promise<Uint8Array>;
  /** Asks for a line; `hidden` does not echo. Throws USAGE when there is no terminal to ask at, INTERRUPTED on Ctrl-C or Ctrl-D. */
  ask(question: string, options?: { readonly hidden?: boolean }): Promise<string>;
  /** Asks yes or no; the answer is `fallback` on an empty line. Throws USAGE when there is no terminal to ask at. */
  confirm(question: string, fallback?: boolean): Promise<boolean>;
}

/** This process's own terminal. Output whose reader has gone is dropped without a word; an aborted signal ends a question. */
export function createTerminal(
  env: Readonly<Record<string, string | undefined>>,
  signal?: AbortSignal,
): Terminal {
  const ask: Terminal["ask"] = async (question, options = {}) => {
    if (!isTerminal(0)) throw noTerminal(question, options.hidden === true);
    const show = (text: string): void => writeAll(2, Buffer.from(text));
    return readLine({ text: question, hidden: options.hidden === true, signal, show });
  };
  return {
    out: (text) => writeAll(1, Buffer.from(text)),
    err: (text) => writeAll(2, Buffer.from(text)),
    outBytes: (bytes) => writeAll(1, bytes),
    get isOutTerminal() {
      return isTerminal(1);
    },
    get isErrTerminal() {
      return isTerminal(2) && env.TERM !== "dumb";
    },
    get isInTerminal() {
      return isTerminal(0);
    },
    get color() {
      return isTerminal(1) && (env.NO_COLOR ?? "") === "" && env.TERM !== "dumb";
    },
    readIn,
    ask,
    async confirm(question, fallback = false) {
      for (;;) {
        const answer = (await ask(`${question} [${fallback ? "Y/n" : "y/N"}] `)).trim().toLowerCase();
        if (answer === "") return fallback;
        if (answer === "y" || answer === "yes") return true;
        if (answer === "n" || answer === "no") return false;
      }
    },
  };
}

/** Its module is loaded when somebody asks: programs that others call never do. */
function isTerminal(fd: 0 | 1 | 2): boolean {
  return process.getBuiltinModule("node:tty").isatty(fd);
}

function noTerminal(question: string, isSecret: boolean): AppError {
  return new AppError("USAGE", `there is no terminal to ask at: ${question.trim().replace(/:$/, "")}`, {
    hint: isSecret
      ? "pipe it in where --password-stdin takes it (see --help), or run this at a terminal"
      : "say it on the command line (see --help), or run this at a terminal",
  });
}

/**
 * Writes now, so that order holds between both streams and nothing is lost at exit. A pipe that somebody made
 * non-blocking says EAGAIN: wait a moment. A reader that went away (EPIPE) wants no more: say nothing.
 */
function writeAll(fd: 1 | 2, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length; ) {
    try {
      written += writeSync(fd, bytes, written);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EPIPE" || code === "EBADF") return;
      if (code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
    }
  }
}

async function readIn(maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of Bun.stdin.stream() as unknown as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > maxBytes)
      throw new AppError("TOO_LARGE", `standard input holds more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
