/** Compresses the blocks of shared slots beside the thread that reads and writes. */
import { BlockSlot } from "./block-slot.ts";
import type { BlockCodec } from "./compress-block.ts";
import { compressSlot } from "./compress-slot.ts";

declare const self: Worker;

/** First the slots and the codec, then the number of each slot that is filled. */
export type CompressRequest =
  | { readonly codec: BlockCodec; readonly slots: readonly SharedArrayBuffer[] }
  | { readonly slot: number };
export type CompressAnswer = { readonly slot: number; readonly error?: string };

let slots: readonly BlockSlot[] = [];
let codec: BlockCodec = { name: "none" };

self.onmessage = (event: MessageEvent<CompressRequest>) => {
  const request = event.data;
  if ("codec" in request) {
    codec = request.codec;
    slots = request.slots.map((memory) => new BlockSlot(memory));
    return;
  }
  try {
    const slot = slots[request.slot];
    if (slot === undefined) throw new Error(`there is no slot ${request.slot}`);
    compressSlot(slot, codec);
    self.postMessage({ slot: request.slot } satisfies CompressAnswer);
  } catch (cause) {
    self.postMessage({ slot: request.slot, error: String(cause) } satisfies CompressAnswer);
  }
};
