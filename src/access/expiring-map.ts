/**
 * A bounded map for what is remembered for a while. What is dead does not stay until the map is full: each `set` looks at the two oldest
 * entries, drops the dead and puts the living last, so that there are never many more dead than living. Full, it forgets everything.
 */
export class ExpiringMap<Value> {
  readonly #max: number;
  readonly #isDead: (value: Value) => boolean;
  readonly #entries = new Map<string, Value>();

  constructor(max: number, isDead: (value: Value) => boolean) {
    this.#max = max;
    this.#isDead = isDead;
  }

  /** Dead or living: whoever asks looks at it anyway. */
  get(key: string): Value | undefined {
    return this.#entries.get(key);
  }

  get size(): number {
    return this.#entries.size;
  }

  set(key: string, value: Value): void {
    // Behind all others: the order is that of the looks.
    this.#entries.delete(key);
    this.#lookAtOldest();
    this.#lookAtOldest();
    if (this.#entries.size >= this.#max) this.#entries.clear();
    this.#entries.set(key, value);
  }

  #lookAtOldest(): void {
    for (const [key, value] of this.#entries) {
      this.#entries.delete(key);
      if (!this.#isDead(value)) this.#entries.set(key, value);
      return;
    }
  }
}
