import { AppError } from "#core";

const MAX_ENDED = 10_000;

/**
 * Counts the uploads that receive bytes in this process, and remembers those that ended, so that their ids are not taken for new ones.
 * One account holds half of the places at most: with slow uploads it could keep everybody else from pushing.
 */
export class UploadGate {
  readonly #most: number;
  readonly #ended = new Set<string>();
  readonly #activeOf = new Map<string, number>();
  #active = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Runs `work` as one of the active uploads of `account`; BUSY when there are too many. */
  async pass<T>(account: string, work: () => Promise<T>): Promise<T> {
    const own = this.#activeOf.get(account) ?? 0;
    if (this.#active >= this.#most || own >= Math.ceil(this.#most / 2))
      throw new AppError("BUSY", "too many uploads at once", { hint: "try again in a few seconds" });
    this.#active++;
    this.#activeOf.set(account, own + 1);
    try {
      return await work();
    } finally {
      this.#active--;
      const left = (this.#activeOf.get(account) ?? 1) - 1;
      if (left > 0) this.#activeOf.set(account, left);
      else this.#activeOf.delete(account);
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
