import { expect, test } from "bun:test";
import fc from "fast-check";
import { isAppError } from "#core";
import { indexesOf } from "../../../test/support/memory-layer.ts";
import { randomStack } from "../../../test/support/random-layers.ts";
import { nodesByPath } from "../../../test/support/tree-lines.ts";
import type { TreeNode } from "../contract.ts";
import { mergeLayers } from "./merge-layers.ts";
import { createShadowFilter } from "./shadow-filter.ts";

test("it hides what is replaced, whited out, below an opaque folder or below what is no folder any more", async () => {
  const filter = createShadowFilter();
  const indexes = await indexesOf([
    [
      { path: "a/file" },
      { path: "a/.wh.gone" },
      { path: "o/.wh..wh..opq" },
      { path: "o/new" },
      { path: "link", linkTarget: "a" },
      { path: "d/" },
      { path: "self", type: "1", linkTarget: "self" },
    ],
  ]);
  for (const index of indexes) filter.add(index);
  const hidden = ["a/file", "a/gone", "a/gone/x/y", "o/x", "o/x/y", "link", "link/x", "d"];
  const open = ["a/other", "a/filed", "d/x", "self", "opaque", "x/a/file"];
  expect(hidden.filter((path) => !filter.hides(path))).toEqual([]);
  expect(open.filter((path) => filter.hides(path))).toEqual([]);
});

test("an opaque root hides everything", async () => {
  const filter = createShadowFilter();
  expect(filter.hides("x")).toBe(false);
  for (const index of await indexesOf([[{ path: ".wh..wh..opq" }]])) filter.add(index);
  expect(filter.hides("x") && filter.hides("x/y")).toBe(true);
});

test("without hard links nothing that it hides is in the merged tree under its own path", async () => {
  let hiddenFiles = 0;
  await fc.assert(
    fc.asyncProperty(randomStack, async (layers) => {
      // A hard link may give a hidden name back.
      const indexes = await indexesOf(layers.map((items) => items.filter(({ type }) => type !== "1")));
      let root: TreeNode;
      try {
        root = mergeLayers(indexes);
      } catch (error) {
        if (isAppError(error, "IMAGE_INVALID")) return;
        throw error;
      }
      const owners = new Map<string, string>();
      for (const [path, { content }] of nodesByPath(root))
        if (content !== undefined && "layer" in content)
          owners.set(path, `${content.layer}/${content.entry}`);
      const filter = createShadowFilter();
      for (const [layer, index] of [...indexes.entries()].reverse()) {
        for (const [number, entry] of index.entries.entries()) {
          if (entry.type !== "file" || !filter.hides(entry.path)) continue;
          hiddenFiles++;
          expect(owners.get(entry.path)).not.toBe(`${layer}/${number}`);
        }
        filter.add(index);
      }
    }),
    { seed: 21, numRuns: 2000 },
  );
  expect(hiddenFiles).toBeGreaterThan(1000);
}, 120_000);
