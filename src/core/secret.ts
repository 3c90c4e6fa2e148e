const SHOWN = "[secret]";

/**
 * A text that must not be seen. Prints as `[secret]` in every form: string, JSON, inspection, template.
 * `reveal()` is the only way in; each call of it is a place to look at in review.
 */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  reveal(): string {
    return this.#text;
  }

  /** Length in UTF-16 units, for limits. */
  get length(): number {
    return this.#text.length;
  }

  equals(other: Secret): boolean {
    return this.#text === other.#text;
  }

  toString(): string {
    return SHOWN;
  }

  toJSON(): string {
    return SHOWN;
  }

  [Symbol.toPrimitive](): string {
    return SHOWN;
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return SHOWN;
  }
}
