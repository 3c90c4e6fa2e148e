import { readdirSync } from "node:fs";
import os from "node:os";

const LOWEST = 19;

/**
 * Lets every other program go first, with the processor and, on Linux, with the disk (whose queue goes by this number where nothing else is
 * said). Threads that are made later take it over. Never throws: without it the work is the same.
 */
export function lowerPriority(): void {
  for (const thread of threads()) {
    try {
      os.setPriority(thread, LOWEST);
    } catch {
      // A thread that has ended, or a machine that does not let us.
    }
  }
}

/** On Linux the number is each thread's own (setpriority(2), "C library/kernel differences"). */
function threads(): number[] {
  try {
    return readdirSync("/proc/self/task").map(Number);
  } catch {
    return [process.pid];
  }
}
