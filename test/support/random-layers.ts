import fc from "fast-check";
import type { TarItem } from "./tar-writer.ts";

// Few names, so that paths meet.
const name = fc.constantFrom("a", "b", "c");
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join("/"));
const target = fc.oneof(
  path,
  path.map((text) => `/${text}`),
  path.map((text) => `../${text}`),
  fc.constant("."),
);
const attributes = { mode: fc.constantFrom(0o700, 0o4755), uid: fc.nat(3), mtime: fc.nat(9) };

const item: fc.Arbitrary<TarItem> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ path, ...attributes, content: fc.constantFrom("", "x", "yy") }) },
  { weight: 3, arbitrary: fc.record({ path: path.map((text) => `${text}/`), ...attributes }) },
  { weight: 2, arbitrary: fc.record({ path, linkTarget: target }) },
  { weight: 2, arbitrary: fc.record({ path, type: fc.constant("1"), linkTarget: path }) },
  { weight: 2, arbitrary: path.map((text) => ({ path: text.replace(/[^/]+$/, ".wh.$&") })) },
  { weight: 1, arbitrary: path.map((text) => ({ path: `${text}/.wh..wh..opq` })) },
  { weight: 1, arbitrary: fc.constantFrom({ path: "./", mode: 0o711 }, { path: ".wh..wh..opq" }) },
);

/** Stacks of small layers whose paths meet in every way: folders, files, links of both kinds, whiteouts, opaque folders, the root. */
export const randomStack: fc.Arbitrary<TarItem[][]> = fc.array(fc.array(item, { maxLength: 8 }), {
  minLength: 1,
  maxLength: 4,
});
