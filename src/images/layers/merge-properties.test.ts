/** Random stacks of layers, as tar archives through the reader: our tree is that of a slow and plain second implementation. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { isAppError } from "#core";
import { indexesOf } from "../../../test/support/memory-layer.ts";
import { plainMerge } from "../../../test/support/plain-merge.ts";
import { randomStack } from "../../../test/support/random-layers.ts";
import { nodesByPath } from "../../../test/support/tree-lines.ts";
import type { LayerIndex, TreeNode } from "../contract.ts";
import { mergeLayers } from "./merge-layers.ts";

test("random stacks of layers: our tree is the plain one's, and both refuse the same", async () => {
  let applied = 0;
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(randomStack, async (layers) => {
      const indexes = await indexesOf(layers);
      const plain = plainMerge(indexes);
      const ours = merged(indexes);
      expect(ours === undefined).toBe(plain === undefined);
      if (ours === undefined || plain === undefined) {
        refused++;
        return;
      }
      applied++;
      const nodes = nodesByPath(ours);
      expect([...nodes.keys()].sort()).toEqual([...plain.keys()].sort());
      const firstOfPlain = new Map<unknown, string>();
      const firstOfOurs = new Map<unknown, string>();
      for (const [at, node] of nodes) {
        const other = plain.get(at);
        const { type, mode, uid, gid, mtimeSeconds, linkTarget, content } = node;
        const from = content !== undefined && "layer" in content ? `${content.layer}/${content.entry}` : "";
        expect({ type, mode, uid, gid, mtimeSeconds, linkTarget, content: from }).toEqual(other as never);
        if (!firstOfPlain.has(other)) firstOfPlain.set(other, at);
        if (!firstOfOurs.has(node)) firstOfOurs.set(node, at);
        // The same names share a node, and it knows how many they are.
        expect(firstOfOurs.get(node)).toBe(firstOfPlain.get(other) as string);
        expect(node.links).toBe([...nodes.values()].filter((same) => same === node).length);
      }
    }),
    { seed: 11, numRuns: 3000 },
  );
  expect(applied).toBeGreaterThan(1000);
  expect(refused).toBeGreaterThan(20);
}, 120_000);

function merged(indexes: readonly LayerIndex[]): TreeNode | undefined {
  try {
    return mergeLayers(indexes);
  } catch (error) {
    if (isAppError(error, "IMAGE_INVALID")) return undefined;
    throw error;
  }
}
