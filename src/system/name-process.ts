import { writeFileSync } from "node:fs";

/** Names this process for `ps`, `top` and whoever asks who has a port, where the machine lets it (Linux, at most 15 bytes). Never throws. */
export function nameProcess(name: string): void {
  try {
    writeFileSync("/proc/self/comm", name, { flag: "r+" });
  } catch {
    // No Linux: it keeps the interpreter's name, and nothing depends on it.
  }
}
