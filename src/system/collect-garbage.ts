/** Collects garbage now, all of it: for a moment at which much was just let go and as much is about to be made. Takes about 0.5 ms for each MB that lives. */
export function collectGarbage(): void {
  Bun.gc(true);
}
