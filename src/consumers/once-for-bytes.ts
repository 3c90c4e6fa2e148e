/**
 * The same parser, which parses the same bytes once: planning asks a program's reader for each of a file's logins. Nothing is kept longer
 * than the bytes are, and what throws is tried again. The bytes, and what they were parsed to, must never be changed.
 */
export function onceForBytes<T>(
  parse: (bytes: Uint8Array, path: string) => T,
): (bytes: Uint8Array, path: string) => T {
  const known = new WeakMap<Uint8Array, { readonly path: string; readonly value: T }>();
  return (bytes, path) => {
    const before = known.get(bytes);
    if (before?.path === path) return before.value;
    const value = parse(bytes, path);
    known.set(bytes, { path, value });
    return value;
  };
}
