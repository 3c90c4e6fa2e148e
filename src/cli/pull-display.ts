import type { PullProgress } from "#images";
import type { Terminal } from "#system";
import { renderBytes } from "./render-bytes.ts";

/** Shows how far a pull is: one line that is written over at a terminal, else a line now and then. */
export interface PullDisplay {
  readonly update: (progress: PullProgress) => void;
  /** The line goes. */
  end(): void;
  /** What was told last. */
  last(): PullProgress;
}

const REDRAW_MS = 100;
const LINE_MS = 10_000;
const BAR_WIDTH = 24;

export function createPullDisplay(
  terminal: Terminal,
  about: { readonly isShown: boolean; readonly out: string; readonly now?: () => number },
): PullDisplay {
  const now = about.now ?? ((): number => performance.now());
  const startedMs = now();
  let drawnMs = Number.NEGATIVE_INFINITY;
  let progress: PullProgress = {
    phase: "asking",
    totalBytes: 0,
    networkBytes: 0,
    cachedBytes: 0,
    writtenBytes: 0,
  };
  const pauseMs = terminal.isErrTerminal ? REDRAW_MS : LINE_MS;
  let isDrawn = false;
  const draw = (): void => {
    const line = renderProgress(progress, now() - startedMs);
    terminal.err(terminal.isErrTerminal ? `\r${line}\u001b[K` : `${line}\n`);
    isDrawn = true;
  };
  return {
    update(next) {
      progress = next;
      if (!about.isShown || now() - drawnMs < pauseMs) return;
      // The first line of a log says something only when something was known.
      if (drawnMs === Number.NEGATIVE_INFINITY && !terminal.isErrTerminal) {
        drawnMs = now();
        return;
      }
      drawnMs = now();
      draw();
    },
    end() {
      if (terminal.isErrTerminal && isDrawn) terminal.err("\r\u001b[K");
    },
    last: () => progress,
  };
}

/** One line: how much is there of what must come, what was written, how long it will take. */
export function renderProgress(progress: PullProgress, elapsedMs: number): string {
  const { phase, totalBytes, networkBytes, cachedBytes, writtenBytes } = progress;
  if (phase === "asking" || totalBytes === 0) return "asking the registry";
  if (phase === "finishing") return `finishing: ${renderBytes(writtenBytes)} written`;
  const there = Math.min(totalBytes, networkBytes + cachedBytes);
  const filled = Math.floor((there / totalBytes) * BAR_WIDTH);
  const bar = `[${"#".repeat(filled)}${"-".repeat(BAR_WIDTH - filled)}]`;
  const words = [
    `${bar} ${renderBytes(there)} of ${renderBytes(totalBytes)}`,
    `${renderBytes(writtenBytes)} written`,
  ];
  if (there < totalBytes && networkBytes > 0) {
    const perSecond = networkBytes / Math.max(0.001, elapsedMs / 1000);
    words.push(`${renderBytes(perSecond)}/s`, `${renderSeconds((totalBytes - there) / perSecond)} left`);
  }
  return words.join(", ");
}

function renderSeconds(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  return whole < 3600 ? `${Math.ceil(whole / 60)} min` : `${(whole / 3600).toFixed(1)} h`;
}
