import { wait } from "#system";

/** What is to be looked at: some namespaces, or all of them. */
export type Scope = ReadonlySet<string> | "all";

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 60_000;
/** Events come in droves: what follows within this time is looked at together. */
const GATHER_MS = 20;
/** From so many on, everything is looked at: it costs no more. */
const MANY = 500;

/**
 * Namespaces that wait to be looked at, each once however often it was named. What failed comes back after a pause that doubles. Holds
 * names of what waits or failed, and nothing of what is well.
 */
export class WorkQueue {
  #waiting = new Set<string>();
  #all = false;
  #wake: (() => void) | undefined;
  readonly #failures = new Map<string, number>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();

  add(namespace: string): void {
    if (this.#all) return;
    this.#waiting.add(namespace);
    if (this.#waiting.size > MANY) this.addAll();
    else this.#wake?.();
  }

  addAll(): void {
    this.#all = true;
    this.#waiting.clear();
    this.#wake?.();
  }

  /** How much waits; Infinity for all. */
  get size(): number {
    return this.#all ? Number.POSITIVE_INFINITY : this.#waiting.size;
  }

  /** What is to be looked at next; undefined when the signal ended. */
  async next(signal: AbortSignal): Promise<Scope | undefined> {
    if (this.size === 0 && !signal.aborted) await this.#something(signal);
    // An abort ends the pause, and is looked at behind it.
    if (!signal.aborted) await wait(GATHER_MS, signal).catch(() => undefined);
    if (signal.aborted) return undefined;
    const scope: Scope = this.#all ? "all" : this.#waiting;
    this.#all = false;
    this.#waiting = new Set();
    return scope;
  }

  succeeded(scope: Scope): void {
    if (scope === "all") this.#failures.clear();
    else for (const namespace of scope) this.#failures.delete(namespace);
  }

  /** Looks at it again, later each time. */
  failed(scope: Scope): void {
    const keys = scope === "all" ? [""] : [...scope];
    const tries = 1 + Math.max(...keys.map((key) => this.#failures.get(key) ?? 0));
    for (const key of keys) this.#failures.set(key, tries);
    const ms = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (tries - 1)) * (0.75 + Math.random() / 2);
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (scope === "all") this.addAll();
      else for (const namespace of scope) this.add(namespace);
    }, ms);
    this.#timers.add(timer);
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  #something(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener("abort", wake);
        this.#wake = undefined;
        resolve();
      };
      this.#wake = wake;
      signal.addEventListener("abort", wake, { once: true });
    });
  }
}
