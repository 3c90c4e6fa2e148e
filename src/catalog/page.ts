/** One page of a list, by key: what comes after `after` (exclusive) in the list's order, at most `limit` rows. */
export interface PageRequest {
  readonly after?: string | undefined;
  readonly limit: number;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** The `after` of the next page; undefined when this is the last. */
  readonly next: string | undefined;
}

/** A page out of up to `limit + 1` rows: the extra one tells that there is more. */
export function createPage<Row, T>(
  rows: readonly Row[],
  limit: number,
  convert: { readonly item: (row: Row) => T; readonly key: (row: Row) => string },
): Page<T> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: shown.map(convert.item),
    next: rows.length > limit && last !== undefined ? convert.key(last) : undefined,
  };
}
