/**
 * The same parser, which parses the same bytes once: planning asks a program's reader for each of a file's logins. Nothing is kept longer
 * than the bytes are, what throws is tried again, and `more` counts as the same only where it is the very same. The bytes, and what they
 * were parsed to, must never be changed.
 */
export function onceForBytes<T, More extends readonly unknown[]>(
  parse: (bytes: Uint8Array, path: string, ...more: More) => T,
): (bytes: Uint8Array, path: string, ...more: More) => T {
  const known = new WeakMap<Uint8Array, { readonly path: string; readonly more: More; readonly value: T }>();
  return (bytes, path, ...more) => {
    const before = known.get(bytes);
    if (before?.path === path && before.more.every((one, index) => one === more[index])) return before.value;
    const value = parse(bytes, path, ...more);
    known.set(bytes, { path, more, value });
    return value;
  };
}
