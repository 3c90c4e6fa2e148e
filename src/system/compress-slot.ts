import { createHash } from "node:crypto";
import type { BlockSlot } from "./block-slot.ts";
import { type BlockCodec, compressBlock } from "./compress-block.ts";

/** Compresses every block of a slot and lays the results side by side at the start of its data. */
export function compressSlot(slot: BlockSlot, codec: BlockCodec): void {
  let from = 0;
  let to = 0;
  for (let block = 0; block < slot.count; block++) {
    const length = slot.length(block);
    const bytes = slot.data.subarray(from, from + length);
    from += length;
    if (slot.mayVanish(block) && isZeros(bytes)) {
      slot.setResult(block, 0, NO_HASH);
      continue;
    }
    // A result is never longer than its block, so it cannot reach the blocks that are still to come.
    const compressed = compressBlock(bytes, codec, slot.data.subarray(to));
    if (compressed === 0) slot.data.copyWithin(to, from - length, from);
    const size = compressed === 0 ? length : compressed;
    const hash = createHash("sha256")
      .update(slot.data.subarray(to, to + size))
      .digest();
    slot.setResult(block, compressed === 0 ? -length : compressed, hash);
    to += size;
  }
}

const NO_HASH = new Uint8Array(32);
const ZEROS = new Uint8Array(64 * 1024);

function isZeros(bytes: Uint8Array): boolean {
  // Nearly every block answers here.
  if (bytes[0] !== 0 || bytes[bytes.length - 1] !== 0) return false;
  for (let at = 0; at < bytes.length; at += ZEROS.length) {
    const piece = bytes.subarray(at, at + ZEROS.length);
    if (Buffer.compare(piece, ZEROS.subarray(0, piece.length)) !== 0) return false;
  }
  return true;
}
