import { invalidLayer } from "./refuse.ts";
import { octalAt, parseTarNumber } from "./tar-number.ts";

export const BLOCK_BYTES = 512;

/** One header block as it stands (POSIX ustar, GNU tar, star and version 7), names as latin1 up to their NUL. */
export interface TarHeader {
  /** The type's character; "0" for version 7's NUL. */
  readonly typeflag: string;
  readonly name: string;
  readonly linkName: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  readonly mtimeSeconds: number;
}

/** True for a block of zeros: two of them end an archive. */
export function isZeroBlock(block: Buffer): boolean {
  for (let at = 0; at < BLOCK_BYTES; at++) if (block[at] !== 0) return false;
  return true;
}

/** Reads a header block; throws IMAGE_INVALID for a wrong checksum and for numbers that are none. */
export function parseTarHeader(block: Buffer): TarHeader {
  checkSum(block);
  const type = block[156] ?? 0;
  const name = textAt(block, 0, 100);
  const prefix = prefixOf(block);
  return {
    typeflag: type === 0 ? "0" : String.fromCharCode(type),
    name: prefix === "" ? name : `${prefix}/${name}`,
    linkName: textAt(block, 157, 100),
    mode: parseTarNumber(block, 100, 8),
    uid: parseTarNumber(block, 108, 8),
    gid: parseTarNumber(block, 116, 8),
    sizeBytes: parseTarNumber(block, 124, 12),
    mtimeSeconds: parseTarNumber(block, 136, 12),
  };
}

/** Text of a field up to its first NUL, as latin1. */
export function textAt(block: Buffer, offset: number, length: number): string {
  let end = offset;
  while (end < offset + length && block[end] !== 0) end++;
  return block.toString("latin1", offset, end);
}

/** The device's numbers, read of devices alone: other entries may have anything there. */
export function parseDevice(block: Buffer): { major: number; minor: number } {
  return { major: parseTarNumber(block, 329, 8), minor: parseTarNumber(block, 337, 8) };
}

/** Only POSIX's form has a prefix; GNU's, whose magic has a space, keeps times there, and version 7's nothing. */
function prefixOf(block: Buffer): string {
  if (block[345] === 0 || block[262] !== 0 || block.toString("latin1", 257, 262) !== "ustar") return "";
  const isStar = block.toString("latin1", 508, 512) === "tar\0";
  return textAt(block, 345, isStar ? 131 : 155);
}

/** The sum of all bytes, its own field taken as spaces; old programs summed signed bytes. */
function checkSum(block: Buffer): void {
  let sum = 0;
  let high = 0;
  for (let at = 0; at < BLOCK_BYTES; at++) {
    const byte = block[at] ?? 0;
    sum += byte;
    high += byte >> 7;
  }
  for (let at = 148; at < 156; at++) {
    const byte = block[at] ?? 0;
    sum += 0x20 - byte;
    high -= byte >> 7;
  }
  const said = octalAt(block, 148, 8);
  if (said !== sum && said !== sum - 256 * high)
    throw invalidLayer("a header has a wrong checksum: this is not a tar archive, or it is damaged");
}
