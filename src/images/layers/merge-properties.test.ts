/** Random stacks of layers, as tar archives through the reader: our tree is that of a slow and plain second implementation. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { isAppError, silentLogger } from "#core";
import { memoryLayer } from "../../../test/support/memory-layer.ts";
import { plainMerge } from "../../../test/support/plain-merge.ts";
import { renderTarItems, type TarItem } from "../../../test/support/tar-writer.ts";
import { describeTree } from "../../../test/support/tree-lines.ts";
import type { LayerIndex, TreeNode } from "../contract.ts";
import { mergeLayers } from "./merge-layers.ts";
import { readLayer } from "./read-layer.ts";

const context = { signal: new AbortController().signal, log: silentLogger };

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
const stack = fc.array(fc.array(item, { maxLength: 8 }), { minLength: 1, maxLength: 4 });

test("random stacks of layers: our tree is the plain one's, and both refuse the same", async () => {
  let applied = 0;
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(stack, async (layers) => {
      const indexes: LayerIndex[] = [];
      for (const items of layers)
        indexes.push(
          await readLayer(memoryLayer(renderTarItems(items)), { entry: () => "skip", content() {} }, context),
        );
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

function nodesByPath(root: TreeNode): Map<string, TreeNode> {
  const found = new Map<string, TreeNode>();
  for (const at of describeTree(root).keys()) {
    let node: TreeNode | undefined = root;
    for (const step of at === "" ? [] : at.split("/")) node = node?.children?.get(step);
    if (node !== undefined) found.set(at, node);
  }
  return found;
}
