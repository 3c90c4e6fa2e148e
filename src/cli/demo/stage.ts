import { AppError, type Context } from "#core";
import type { Terminal } from "#system";
import { createPaint } from "../paint.ts";
import { runCommandLine } from "../run.ts";
import { wrapText } from "../wrap-text.ts";

/** What one step of the demo printed. */
export interface DemoStep {
  readonly command: string;
  readonly code: number;
  readonly out: string;
}

export interface StageOptions {
  readonly terminal: Terminal;
  readonly context: Context;
  /** Absolute; shown as `~`. Home and current folder of every command. */
  readonly home: string;
  readonly path: string;
}

export interface StepOptions {
  /** Standard input. */
  readonly input?: string;
  /** How the command is shown, where its input comes from a file. */
  readonly shown?: string;
  /** The exit code that it must end with; 0 where nothing is said. */
  readonly code?: number;
}

/** Where the demo plays: says what it does, and runs real commands of wharf in a home of its own. */
export class Stage {
  readonly steps: DemoStep[] = [];
  readonly #options: StageOptions;
  #chapter = 0;

  constructor(options: StageOptions) {
    this.#options = options;
  }

  /** A new chapter, with what it is about. */
  chapter(text: string): void {
    this.#chapter++;
    const paint = createPaint(this.#options.terminal.color);
    const wrapped = wrapText(text, 96).replaceAll("\n", "\n   ");
    this.show(`\n${paint.bold(`${this.#chapter}. ${wrapped}`)}\n\n`);
  }

  /** Text as it stands, its home folder shortened. */
  show(text: string): void {
    this.#options.terminal.out(realign(text.replaceAll(this.#options.home, "~")));
  }

  /** Lines under a command. */
  lines(text: string): void {
    if (text.trim() === "") return;
    const lines = text.trimEnd().split("\n");
    this.show(`${lines.map((line) => (line === "" ? "" : `   ${line}`)).join("\n")}\n`);
  }

  /** Shows a command line as a person would type it. */
  prompt(command: string): void {
    const paint = createPaint(this.#options.terminal.color);
    this.show(`   ${paint.green("$")} ${command}\n`);
  }

  /** Runs `wharf` with these words and shows both; INTERNAL when it ends with another code than it must. */
  async wharf(words: readonly string[], options: StepOptions = {}): Promise<void> {
    const command = options.shown ?? renderWords(words);
    this.prompt(command);
    const { both } = await this.#step(command, words, options.input ?? "", options.code ?? 0);
    this.lines(both);
  }

  /** Runs two commands of `wharf`, what the first prints being the second's input and shown to nobody. */
  async pipe(first: readonly string[], second: readonly string[]): Promise<void> {
    const commands = [renderWords(first), renderWords(second)] as const;
    this.prompt(`${commands[0]} |\n       ${commands[1]}`);
    const secret = await this.#step(commands[0], first, "", 0, "[secret]");
    this.lines(secret.err);
    const { both } = await this.#step(commands[1], second, secret.out, 0);
    this.lines(both);
  }

  /** Starts a command that goes on; resolves with what it prints first. `stop` ends it and waits. */
  async start(words: readonly string[]): Promise<{ readonly out: string; stop(): Promise<void> }> {
    const command = renderWords(words);
    this.prompt(`${command} &`);
    const stop = new AbortController();
    const { context } = this.#options;
    const started = Promise.withResolvers<string>();
    const signal = AbortSignal.any([stop.signal, context.signal]);
    const ended = this.#run(words, "", { ...context, signal }, (text) => started.resolve(text));
    const out = await Promise.race([
      started.promise,
      ended.then(({ err }) => {
        throw new AppError("INTERNAL", `the step '${command}' did not start: ${err.trim()}`);
      }),
    ]);
    // What to type next is the demo itself.
    this.lines(out.split("\n\n")[0] ?? "");
    this.steps.push({ command, code: 0, out });
    return {
      out,
      async stop() {
        stop.abort();
        await ended;
      },
    };
  }

  async #step(command: string, words: readonly string[], input: string, wanted: number, shownOut?: string) {
    const ended = await this.#run(words, input, this.#options.context);
    this.steps.push({ command, code: ended.code, out: shownOut ?? ended.out });
    this.#options.context.signal.throwIfAborted();
    if (ended.code !== wanted)
      throw new AppError("INTERNAL", `the step '${command}' ended with ${ended.code}: ${ended.err.trim()}`);
    return ended;
  }

  async #run(
    args: readonly string[],
    input: string,
    context: Context,
    onOut: (text: string) => void = () => undefined,
  ): Promise<{ code: number; out: string; err: string; both: string }> {
    let out = "";
    let err = "";
    let both = "";
    const noAnswer = (): never => {
      throw new AppError("USAGE", "the demo answers no questions");
    };
    const { home, path } = this.#options;
    const write = (text: string): void => {
      out += text;
      both += text;
      onOut(text);
    };
    const terminal: Terminal = {
      out: write,
      err: (text) => {
        err += text;
        both += text;
      },
      outBytes: (bytes) => write(Buffer.from(bytes).toString()),
      isOutTerminal: false,
      isErrTerminal: false,
      isInTerminal: false,
      color: this.#options.terminal.color,
      readIn: () => Promise.resolve(Buffer.from(input)),
      ask: () => Promise.resolve(noAnswer()),
      confirm: () => Promise.resolve(noAnswer()),
    };
    const env = { HOME: home, PATH: path, XDG_RUNTIME_DIR: `${home}/.run` };
    const code = await runCommandLine({ args, terminal, context, env, cwd: home });
    return { code, out, err, both };
  }
}

function renderWords(words: readonly string[]): string {
  return ["wharf", ...words].join(" ");
}

/** Tables again in columns, after something in them became shorter. A table is lines of four cells and more. */
function realign(text: string): string {
  const lines = text.split("\n");
  const rows = lines.map((line) => line.split(/(?<=\S) {2,}/));
  for (let start = 0; start < rows.length; start++) {
    const width = rows[start]?.length ?? 0;
    if (width < 4) continue;
    let end = start;
    while (rows[end]?.length === width) end++;
    const table = rows.slice(start, end);
    const widths = Array.from({ length: width }, (_, column) =>
      Math.max(...table.map((cells) => Bun.stringWidth(cells[column] ?? ""))),
    );
    for (const [offset, cells] of table.entries())
      lines[start + offset] = cells
        .map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - Bun.stringWidth(cell)))
        .join("  ")
        .trimEnd();
    start = end - 1;
  }
  return lines.join("\n");
}
