import { StringDecoder } from "node:string_decoder";
import { AppError } from "#core";

const CTRL_C = "\u0003";
const CTRL_D = "\u0004";
const CTRL_U = "\u0015";
const MAX_LENGTH = 64 * 1024;

/**
 * One line from the keyboard, without its end. `hidden` shows nothing of it, not even its length. Ends with INTERRUPTED on Ctrl-C,
 * and on Ctrl-D or the end of input before anything was typed.
 */
export async function readLine(hidden: boolean, echo: (text: string) => void): Promise<string> {
  const input = process.stdin;
  const decoder = new StringDecoder("utf8");
  // Only a hidden line needs the raw mode; a shown one keeps the terminal's own editing.
  if (hidden) input.setRawMode(true);
  try {
    return await new Promise<string>((resolve, reject) => {
      let typed = "";
      const finish = (act: () => void): void => {
        input.off("data", onData);
        input.off("end", onEnd);
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
      input.on("data", onData);
      input.on("end", onEnd);
      input.resume();
    });
  } finally {
    if (hidden) {
      input.setRawMode(false);
      echo("\n");
    }
    input.pause();
  }
}

function interrupted(): AppError {
  return new AppError("INTERRUPTED", "stopped at the question");
}
