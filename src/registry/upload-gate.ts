import { AppError } from "#core";

const MAX_ENDED = 10_000;

/** Counts the uploads that receive bytes in this process, and remembers those that ended, so that their ids are not taken for new ones. */
export class UploadGate {
  readonly #most: number;
  readonly #ended = new Set<string>();
  #active = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Runs `work` as one of the active uploads; BUSY when there are too many. */
  async pass<T>(work: () => Promise<T>): Promise<T> {
    if (this.#active >= this.#most)
      throw new AppError("BUSY", "too many uploads at once", { hint: "try again in a few seconds" });
    this.#active++;
    try {
      return await work();
    } finally {
      this.#active--;
    }
  }

  end(name: string): void {
    this.#ended.add(name);
    if (this.#ended.size <= MAX_ENDED) return;
    for (const oldest of this.#ended) {
      this.#ended.delete(oldest);
      break;
    }
  }

  hasEnded(name: string): boolean {
    return this.#ended.has(name);
  }
}
