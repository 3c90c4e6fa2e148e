import type { Generations } from "#catalog";

/** An answer that may be given again: everything of it but the status, which is 200. */
export interface Answer {
  /** Whose mark decides whether it still holds. */
  readonly repository: string;
  readonly etag: string;
  readonly headers: Readonly<Record<string, string>>;
  /** undefined for HEAD. A Blob is a file of the blob store, sent by the kernel. */
  readonly body: Uint8Array<ArrayBuffer> | Blob | undefined;
  readonly sizeBytes: number;
  /** Part of it may be asked for. */
  readonly ranges: boolean;
}

interface Remembered {
  readonly answer: Answer;
  readonly mark: number;
  readonly until: number;
  readonly chargeBytes: number;
}

const OVERHEAD_BYTES = 700;
const MAX_BODY_BYTES = 256 * 1024;

/**
 * Answers by who asked what: the key is method, path and Authorization header, so that another credential never sees it. One holds
 * while its repository's mark is the one that was current before its maker looked, and until the credential ends; absence is never
 * remembered. Bounded by bytes; the oldest go first, and what no longer holds does not stay until there is no more room.
 */
export class Answers {
  readonly #generations: Generations;
  readonly #maxBytes: number;
  readonly #entries = new Map<string, Remembered>();
  #bytes = 0;

  constructor(generations: Generations, maxBytes: number) {
    this.#generations = generations;
    this.#maxBytes = maxBytes;
  }

  find(key: string, now: number): Answer | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (entry.mark === this.#generations.mark(entry.answer.repository) && now < entry.until)
      return entry.answer;
    this.#forget(key, entry);
    return undefined;
  }

  /** `mark` was taken before anything was read; `until` and `now` in milliseconds since 1970. */
  remember(
    key: string,
    answer: Answer,
    hold: { readonly mark: number; readonly until: number },
    now: number,
  ): void {
    const held = answer.body instanceof Uint8Array ? answer.body.length : 0;
    if (held > MAX_BODY_BYTES) return;
    const old = this.#entries.get(key);
    if (old !== undefined) this.#forget(key, old);
    const chargeBytes = OVERHEAD_BYTES + key.length + held;
    this.#entries.set(key, { answer, ...hold, chargeBytes });
    this.#bytes += chargeBytes;
    for (const [oldest, entry] of this.#entries) {
      // All are held about as long: behind one that still holds are few that do not.
      if (this.#bytes <= this.#maxBytes && entry.until > now) break;
      this.#forget(oldest, entry);
    }
  }

  /** What is held, in bytes as they are charged. */
  get sizeBytes(): number {
    return this.#bytes;
  }

  #forget(key: string, entry: Remembered): void {
    this.#entries.delete(key);
    this.#bytes -= entry.chargeBytes;
  }
}
