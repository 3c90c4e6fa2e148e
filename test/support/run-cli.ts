/** Runs wharf for tests: in this process with a terminal of the test's own, or as a child through bin/wharf. */
import { join } from "node:path";
import { type CommandLine, runCommandLine } from "#cli";
import { AppError, type LogFields, silentLogger } from "#core";
import type { Terminal } from "#system";

const root = join(import.meta.dir, "../..");

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** All of standard input. */
  readonly input?: string;
  readonly signal?: AbortSignal;
}

export interface CliResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface InProcessOptions extends CliOptions {
  /** What a person types at the questions, in order; given, both ends are a terminal. */
  readonly answers?: readonly string[];
  readonly color?: boolean;
  readonly table?: CommandLine["table"];
}

export interface InProcessResult extends CliResult {
  readonly outBytes: Uint8Array;
  /** The questions that were asked, hidden ones marked. */
  readonly questions: readonly { readonly text: string; readonly hidden: boolean }[];
  /** All that was logged. */
  readonly logged: readonly { readonly message: string; readonly fields: LogFields | undefined }[];
}

/** Runs a command line in this process. The environment is only what is given. */
export async function runCli(
  args: readonly string[],
  options: InProcessOptions = {},
): Promise<InProcessResult> {
  const out: Uint8Array[] = [];
  const err: string[] = [];
  const questions: { text: string; hidden: boolean }[] = [];
  const logged: { message: string; fields: LogFields | undefined }[] = [];
  const answers = [...(options.answers ?? [])];
  const atTerminal = options.answers !== undefined;
  const ask: Terminal["ask"] = async (text, { hidden = false } = {}) => {
    if (!atTerminal) throw new AppError("USAGE", `there is no terminal to ask at: ${text}`);
    questions.push({ text, hidden });
    const answer = answers.shift();
    if (answer === undefined) throw new Error(`the test gives no answer to ${JSON.stringify(text)}`);
    return answer;
  };
  const terminal: Terminal = {
    out: (text) => void out.push(Buffer.from(text)),
    err: (text) => void err.push(text),
    outBytes: (bytes) => void out.push(bytes),
    isOutTerminal: atTerminal,
    isErrTerminal: false,
    isInTerminal: atTerminal,
    color: options.color ?? false,
    readIn: async () => Buffer.from(options.input ?? ""),
    ask,
    async confirm(question, fallback = false) {
      const answer = (await ask(question)).trim().toLowerCase();
      return answer === "" ? fallback : answer.startsWith("y");
    },
  };
  const keep = (message: string, fields?: LogFields): void => void logged.push({ message, fields });
  const code = await runCommandLine({
    args,
    terminal,
    context: {
      signal: options.signal ?? new AbortController().signal,
      log: { ...silentLogger, info: keep, warn: keep, error: keep, debug: keep },
    },
    env: options.env ?? {},
    cwd: options.cwd ?? process.cwd(),
    ...(options.table === undefined ? {} : { table: options.table }),
  });
  const outBytes = Buffer.concat(out);
  return { code, out: outBytes.toString(), outBytes, err: err.join(""), questions, logged };
}

/** Runs `bin/wharf` as a child. The environment is PATH and what is given. */
export async function runWharf(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const child = Bun.spawn([join(root, "bin/wharf"), ...args], {
    cwd: options.cwd ?? root,
    env: { PATH: process.env.PATH ?? "/usr/bin:/bin", ...options.env },
    stdin: Buffer.from(options.input ?? ""),
    stdout: "pipe",
    stderr: "pipe",
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, out, err };
}
