/** Lets a limited number of things go on at once; the others wait in their order. */
export interface Gate {
  run<T>(work: () => Promise<T>): Promise<T>;
  /** Comes in, once there is room; gives what must be called to leave. */
  enter(): Promise<() => void>;
  /** How many wait to come in. */
  readonly waiting: number;
}

export function createGate(atOnce: number): Gate {
  let running = 0;
  const waiting: (() => void)[] = [];
  async function enter(): Promise<() => void> {
    if (running < atOnce) running++;
    // Who leaves hands its place on, so that nobody comes in between.
    else await new Promise<void>((resolve) => void waiting.push(resolve));
    return () => {
      const next = waiting.shift();
      if (next === undefined) running--;
      else next();
    };
  }
  return {
    enter,
    async run(work) {
      const leave = await enter();
      try {
        return await work();
      } finally {
        leave();
      }
    },
    get waiting() {
      return waiting.length;
    },
  };
}
