import { runningExecutable } from "./running-executable.ts";

/** A part of wharf that runs in a process of its own, as long as this one lives. */
export interface OwnProgram {
  readonly pid: number;
  /** Its exit code; 128 and more where a signal ended it. */
  readonly ended: Promise<number>;
  /** Asks it to end: its input ends, as it does when this process dies. */
  stop(): void;
  /** Ends it at once. */
  kill(): void;
}

/** Starts this very wharf under the name of one of its programs (main.ts). What it logs goes where our own log goes. */
export function startOwnProgram(name: string, args: readonly string[]): OwnProgram {
  const executable = runningExecutable();
  const program =
    executable === undefined
      ? [process.execPath, Bun.fileURLToPath(new URL("../main.ts", import.meta.url))]
      : [executable];
  const child = Bun.spawn([...program, ...args], {
    env: { ...process.env, WHARF_CALLED_AS: name },
    stdin: "pipe",
    // Where it is a terminal, the log is for people there too.
    stdout: "inherit",
    stderr: "inherit",
  });
  return {
    pid: child.pid,
    ended: child.exited,
    stop: () => void child.stdin.end(),
    kill: () => child.kill("SIGKILL"),
  };
}

/** Calls back when the process that started this one has ended or asks it to end. */
export function onParentGone(act: () => void): void {
  process.stdin.on("end", act);
  process.stdin.on("error", act);
  process.stdin.resume();
}
