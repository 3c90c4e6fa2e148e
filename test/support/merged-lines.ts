import type { LayerBlob, LayerIndex } from "../../src/images/contract.ts";
import { mergeLayers } from "../../src/images/layers/merge-layers.ts";
import { readLayer } from "../../src/images/layers/read-layer.ts";
import { type ContentRecorder, createContentRecorder, quietContext } from "./memory-layer.ts";
import { describeTree, type TreeLines } from "./tree-lines.ts";

/** What we make of layers, lowest first, as lines, with the sha256 of every file. */
export async function mergedLines(layers: readonly LayerBlob[]): Promise<TreeLines> {
  const indexes: LayerIndex[] = [];
  const recorders: ContentRecorder[] = [];
  for (const layer of layers) {
    const recorder = createContentRecorder();
    indexes.push(await readLayer(layer, recorder, quietContext()));
    recorders.push(recorder);
  }
  return describeTree(mergeLayers(indexes), ({ layer, entry }) => {
    const content = recorders[layer]?.contents.get(entry);
    if (content === undefined) throw new Error(`no content of ${layer}/${entry}`);
    return content.sha256;
  });
}
