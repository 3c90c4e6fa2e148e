/** One kind of work of the load: done so often, whatever the others do. */
export interface Work {
  readonly name: string;
  readonly perSecond: number;
  /** Throws when the answer is not what it must be. */
  run(turn: number): Promise<void>;
}

/** What came of one kind of work. */
export interface WorkCount {
  readonly name: string;
  readonly perSecond: number;
  done: number;
  failed: number;
  /** What the first failures said. */
  readonly firstFailures: string[];
}

const keptFailures = 3;

/** Keeps every kind of work going until the signal aborts. A rate that the server cannot keep up with is not made up for later. */
export async function keepLoad(
  works: readonly Work[],
  counts: WorkCount[],
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(
    works.map(async (work) => {
      const count: WorkCount = {
        name: work.name,
        perSecond: work.perSecond,
        done: 0,
        failed: 0,
        firstFailures: [],
      };
      counts.push(count);
      for (let turn = 0; !signal.aborted; turn += 1) {
        const next = performance.now() + 1000 / work.perSecond;
        try {
          await work.run(turn);
          count.done += 1;
        } catch (cause) {
          count.failed += 1;
          if (count.firstFailures.length < keptFailures) count.firstFailures.push(String(cause));
        }
        await pause(next - performance.now(), signal);
      }
    }),
  );
}

/** Until the time is over or the signal aborts; not at all for what lies in the past. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (milliseconds <= 0 || signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener("abort", end);
  });
}
