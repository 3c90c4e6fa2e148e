/** Where nobody says more: it bounds open files and memory, and whatever is far away bounds itself. */
const AT_ONCE = 64;

/** `work` for each item, many at once; the answers are in the order of the items. The first that throws is thrown, and no more are begun. */
export async function forEachAtOnce<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
  atOnce: number = AT_ONCE,
): Promise<readonly R[]> {
  const results = new Map<number, R>();
  let next = 0;
  let isBroken = false;
  const worker = async (): Promise<void> => {
    while (!isBroken) {
      const index = next++;
      const item = items[index];
      if (index >= items.length || item === undefined) return;
      try {
        results.set(index, await work(item));
      } catch (cause) {
        isBroken = true;
        throw cause;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
  return [...results.entries()].sort(([a], [b]) => a - b).map(([, result]) => result);
}

/** As `forEachAtOnce`, and items of one group follow each other in their order: targets at one place may share a file. */
export async function forEachByGroup<T, R>(
  items: readonly T[],
  groupOf: (item: T) => string,
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results = new Map<T, R>();
  await forEachAtOnce([...Map.groupBy(items, groupOf).values()], async (group) => {
    for (const item of group) results.set(item, await work(item));
  });
  return items.map((item) => results.get(item) as R);
}
