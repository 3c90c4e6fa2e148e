/** Lets a limited number of things go on at once; the others wait in their order. */
export interface Gate {
  run<T>(work: () => Promise<T>): Promise<T>;
}

export function createGate(atOnce: number): Gate {
  let running = 0;
  const waiting: (() => void)[] = [];
  return {
    async run(work) {
      if (running < atOnce) running++;
      // Who leaves hands its place on, so that nobody comes in between.
      else await new Promise<void>((resolve) => void waiting.push(resolve));
      try {
        return await work();
      } finally {
        const next = waiting.shift();
        if (next === undefined) running--;
        else next();
      }
    },
  };
}
