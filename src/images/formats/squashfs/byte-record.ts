/** A growing little-endian record: what every structure of squashfs is made of. Calls chain. */
export class ByteRecord {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  constructor(capacityBytes = 256) {
    this.#bytes = new Uint8Array(capacityBytes);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#length;
  }

  /** What was written so far; valid until the next call. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  clear(): this {
    this.#length = 0;
    return this;
  }

  u16(value: number): this {
    const at = this.#grow(2);
    this.#view.setUint16(at, value, true);
    return this;
  }

  /** Takes −1 too, which squashfs writes for "none". */
  u32(value: number): this {
    const at = this.#grow(4);
    this.#view.setUint32(at, value, true);
    return this;
  }

  /** A whole number below 2^53; undefined is written as −1, squashfs's "none". */
  u64(value: number | undefined): this {
    const at = this.#grow(8);
    this.#view.setUint32(at, value === undefined ? 0xffff_ffff : value % 2 ** 32, true);
    this.#view.setUint32(at + 4, value === undefined ? 0xffff_ffff : Math.floor(value / 2 ** 32), true);
    return this;
  }

  raw(bytes: Uint8Array): this {
    const at = this.#grow(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }

  /** A name: one byte for each latin1 character. */
  latin1(text: string): this {
    return this.raw(Buffer.from(text, "latin1"));
  }

  #grow(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2));
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }
}
