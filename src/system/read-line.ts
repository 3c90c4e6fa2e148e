import { StringDecoder } from "node:string_decoder";
import { AppError } from "#core";

const CTRL_C = "\u0003";
const CTRL_D = "\u0004";
const CTRL_U = "\u0015";
const MAX_LENGTH = 64 * 1024;

export interface Question {
  readonly text: string;
  /** Shows nothing of what is typed, not even its length. */
  readonly hidden: boolean;
  /** Aborted (Ctrl-C where the terminal makes a signal of it), the question ends. */
  readonly signal: AbortSignal | undefined;
  /** Writes to the terminal. */
  readonly show: (text: string) => void;
}

/** One line from the keyboard, without its end. INTERRUPTED on Ctrl-C, and on Ctrl-D or the end of input before anything was typed. */
export async function readLine(question: Question): Promise<string> {
  const { hidden, signal, show } = question;
  const input = process.stdin;
  const decoder = new StringDecoder("utf8");
  // Only a hidden line needs the raw mode; a shown one keeps the terminal's own editing. Before the question: who types fast must not be seen.
  if (hidden) input.setRawMode(true);
  show(question.text);
  try {
    return await new Promise<string>((resolve, reject) => {
      let typed = "";
      const finish = (act: () => void): void => {
        input.off("data", onData);
        input.off("end", onEnd);
        signal?.removeEventListener("abort", onEnd);
        act();
      };
      const onEnd = (): void => finish(() => reject(interrupted()));
      const onData = (chunk: Buffer): void => {
        for (const key of decoder.write(chunk)) {
          if (key === "\r" || key === "\n") return finish(() => resolve(typed));
          if (key === CTRL_C || (key === CTRL_D && typed === "")) return finish(() => reject(interrupted()));
          if (!hidden) typed += key;
          else if (key === "\u007f" || key === "\b") typed = typed.replace(/.$/su, "");
          else if (key === CTRL_U) typed = "";
          else if (key >= " ") typed += key;
          if (typed.length > MAX_LENGTH)
            return finish(() => reject(new AppError("TOO_LARGE", "the line is too long")));
        }
      };
      if (signal?.aborted === true) return reject(interrupted());
      signal?.addEventListener("abort", onEnd);
      input.on("data", onData);
      input.on("end", onEnd);
      input.resume();
    });
  } finally {
    if (hidden) {
      input.setRawMode(false);
      show("\n");
    }
    input.pause();
  }
}

function interrupted(): AppError {
  return new AppError("INTERRUPTED", "stopped at the question");
}
