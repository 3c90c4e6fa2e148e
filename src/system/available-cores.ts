import { availableParallelism } from "node:os";

/** How many threads of this process can run at once: those that its affinity leaves it, at least 1. */
export function availableCores(): number {
  return Math.max(1, availableParallelism());
}
