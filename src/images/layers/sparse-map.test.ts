/** The four forms in which GNU tar writes sparse files. */
import { expect, test } from "bun:test";
import {
  createContentRecorder,
  entryAt,
  memoryLayer,
  memorySource,
  quietContext,
  readParts,
  refusalOf,
} from "../../../test/support/memory-layer.ts";
import { renderTar, sparseEntry, tarEntry } from "../../../test/support/tar-writer.ts";
import { defaultLayerLimits } from "./layer-limits.ts";
import { readLayer } from "./read-layer.ts";

const extents = [
  { offset: 3, data: "abc" },
  { offset: 1000, data: "d".repeat(600) },
  { offset: 5000, data: "" },
  { offset: 6000, data: "e" },
  { offset: 6001, data: "f" },
  ...Array.from({ length: 40 }, (_, index) => ({
    offset: 7000 + 10 * index,
    data: String.fromCharCode(65 + index),
  })),
];
const expanded = Buffer.alloc(3_000_000);
for (const { offset, data } of extents) expanded.write(data, offset, "latin1");

for (const form of ["old", "0.0", "0.1", "1.0"] as const) {
  test(`sparse files of form ${form} come with their holes`, async () => {
    const item = { path: "dir/sparse", mode: 0o600, uid: 3 };
    const parts = [
      sparseEntry(form, item, expanded.length, extents),
      tarEntry({ path: "after", content: "x" }),
    ];
    for (const pieceBytes of [Number.MAX_SAFE_INTEGER, 100]) {
      const layer = memoryLayer(renderTar(parts));
      const recorder = createContentRecorder();
      const bytes = memorySource(renderTar(parts), pieceBytes);
      const index = await readLayer({ ...layer, bytes }, recorder, quietContext());
      expect(entryAt(index, "dir/sparse")).toMatchObject({ sizeBytes: expanded.length, mode: 0o600, uid: 3 });
      expect(recorder.contents.get(0)?.bytes.equals(expanded)).toBe(true);
      expect(recorder.contents.get(1)?.bytes.toString()).toBe("x");
    }
    const nothing = await readParts(
      sparseEntry(form, item, 5000, []),
      sparseEntry(form, { path: "full" }, 3, [{ offset: 0, data: "xyz" }]),
    );
    expect(nothing.text("dir/sparse")).toBe("\0".repeat(5000));
    expect(nothing.text("full")).toBe("xyz");
  });

  test(`sparse maps of form ${form} that overlap, lie or claim too much are refused`, async () => {
    const item = { path: "s" };
    const overlapping = [
      { offset: 10, data: "abc" },
      { offset: 12, data: "d" },
    ];
    expect(await refusalOf([sparseEntry(form, item, 100, overlapping)])).toContain("sparse map");
    expect(await refusalOf([sparseEntry(form, item, 10, [{ offset: 9, data: "abc" }])])).toContain(
      "sparse map",
    );
    expect(
      await refusalOf([sparseEntry(form, item, 2e7, [])], { ...defaultLayerLimits, maxLayerBytes: 1e7 }),
    ).toContain("TOO_LARGE");
  });
}

test("too many stretches of a sparse file are refused", async () => {
  for (const form of ["old", "0.0", "0.1", "1.0"] as const)
    expect(
      await refusalOf([sparseEntry(form, { path: "s" }, 10_000, extents)], {
        ...defaultLayerLimits,
        maxSparseExtents: 30,
      }),
    ).toContain("TOO_LARGE");
});
