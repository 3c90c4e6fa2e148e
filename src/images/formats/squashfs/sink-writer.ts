import type { Sink } from "../../contract.ts";

/** Bytes of one write. */
const WRITE_BYTES = 4 * 1024 * 1024;

/**
 * Turns many small pieces into large writes at rising offsets, one write at a time, while the next is gathered. `rewind` takes back what was
 * appended last: the bytes that come next lie over it.
 */
export class SinkWriter {
  readonly #sink: Sink;
  readonly #baseBytes: number;
  #filling = new Uint8Array(WRITE_BYTES);
  #other = new Uint8Array(WRITE_BYTES);
  /** Where `#filling` begins and how much of it is filled. */
  #start: number;
  #filled = 0;
  #writing: Promise<void> = Promise.resolve();

  /** Position 0 is `baseBytes` of the sink; appending begins at `startBytes`. */
  constructor(sink: Sink, baseBytes: number, startBytes: number) {
    this.#sink = sink;
    this.#baseBytes = baseBytes;
    this.#start = startBytes;
  }

  get position(): number {
    return this.#start + this.#filled;
  }

  /** The bytes are copied before it returns, or before its promise settles where it waits for a write. */
  append(bytes: Uint8Array): void | Promise<void> {
    if (this.#filled + bytes.length > WRITE_BYTES) return this.#appendLater(bytes);
    this.#filling.set(bytes, this.#filled);
    this.#filled += bytes.length;
  }

  /** Goes back to a position that was before. */
  rewind(position: number): void {
    if (position >= this.#start) {
      this.#filled = position - this.#start;
    } else {
      this.#start = position;
      this.#filled = 0;
    }
  }

  /** All that was appended is with the sink. */
  async flush(): Promise<void> {
    await this.#turn();
    await this.#writing;
  }

  async #appendLater(bytes: Uint8Array): Promise<void> {
    let at = 0;
    while (at < bytes.length) {
      const count = Math.min(bytes.length - at, WRITE_BYTES - this.#filled);
      this.#filling.set(bytes.subarray(at, at + count), this.#filled);
      this.#filled += count;
      at += count;
      if (this.#filled === WRITE_BYTES) await this.#turn();
    }
  }

  /** Hands the filled buffer to the sink once the one before is written. */
  async #turn(): Promise<void> {
    await this.#writing;
    const full = this.#filling.subarray(0, this.#filled);
    this.#writing = full.length === 0 ? this.#writing : this.#sink.write(this.#baseBytes + this.#start, full);
    // It is waited for before the next write, which may come late.
    this.#writing.catch(() => undefined);
    [this.#filling, this.#other] = [this.#other, this.#filling];
    this.#start += this.#filled;
    this.#filled = 0;
  }
}
