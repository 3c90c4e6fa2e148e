/** Images: a view of one from anywhere, its layers merged into one tree, and the formats that it can be written as. */
export type { ByteSource, LayerBlob, LayerEntry, LayerIndex, LayerVisitor } from "./contract.ts";
export { mergeLayers } from "./layers/merge-layers.ts";
export { readLayer } from "./layers/read-layer.ts";
