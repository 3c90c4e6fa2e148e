/** A stretch of bytes: `from` is in it, `to` is not. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** Which bytes of something are there: stretches that neither touch nor overlap, in order. */
export class Stretches {
  #list: Stretch[] = [];

  /** How many bytes are in it. */
  get sizeBytes(): number {
    return this.#list.reduce((sum, { from, to }) => sum + to - from, 0);
  }

  add(from: number, to: number): void {
    if (to <= from) return;
    const before = this.#list.filter((stretch) => stretch.to < from);
    const after = this.#list.filter((stretch) => stretch.from > to);
    const joined = this.#list.slice(before.length, this.#list.length - after.length);
    const first = joined[0];
    const last = joined.at(-1);
    const all = { from: Math.min(from, first?.from ?? from), to: Math.max(to, last?.to ?? to) };
    this.#list = [...before, all, ...after];
  }

  remove(from: number, to: number): void {
    if (to <= from) return;
    this.#list = this.#list.flatMap((stretch) => {
      if (stretch.to <= from || stretch.from >= to) return [stretch];
      return [
        { from: stretch.from, to: from },
        { from: to, to: stretch.to },
      ].filter((rest) => rest.to > rest.from);
    });
  }

  /** Where the unbroken bytes end that begin at `from`; `from` itself where that byte is missing. */
  endOf(from: number): number {
    return this.#list.find((stretch) => stretch.from <= from && from < stretch.to)?.to ?? from;
  }

  /** The first bytes from `start` on that are missing, up to `end`; undefined where none is. */
  firstGap(start: number, end: number): Stretch | undefined {
    const from = this.endOf(start);
    if (from >= end) return undefined;
    const next = this.#list.find((stretch) => stretch.from > from)?.from ?? end;
    return { from, to: Math.min(next, end) };
  }

  list(): readonly Stretch[] {
    return this.#list;
  }
}
