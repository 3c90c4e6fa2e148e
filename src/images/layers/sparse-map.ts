import type { LayerLimits } from "./layer-limits.ts";
import type { PaxRecords } from "./pax-records.ts";
import { invalidLayer, overLimit } from "./refuse.ts";
import { parseDecimal, parseTarNumber } from "./tar-number.ts";

/** Where the data of a sparse file lies: pairs of offset and length, ascending; holes between them are zeros. */
export interface SparseMap {
  readonly extents: readonly number[];
  readonly realBytes: number;
}

/** A sparse map in GNU tar's old form: four extents in the header, more in blocks behind it. */
export interface OldSparse {
  readonly extents: number[];
  readonly realBytes: number;
  /** Whether a block of further extents follows. */
  isContinued: boolean;
}

export function readOldSparse(header: Buffer): OldSparse {
  const extents: number[] = [];
  pushOld(header, 386, 4, extents);
  return { extents, realBytes: parseTarNumber(header, 483, 12), isContinued: header[482] === 1 };
}

export function addOldSparse(block: Buffer, map: OldSparse, limits: LayerLimits): void {
  pushOld(block, 0, 21, map.extents);
  map.isContinued = block[504] === 1;
  checkCount(map.extents.length / 2, limits);
}

/** The map in PAX records (forms 0.0 and 0.1); undefined where there is none. */
export function sparseFromRecords(records: PaxRecords, limits: LayerLimits): SparseMap | undefined {
  const map = records.get("GNU.sparse.map");
  const size = records.get("GNU.sparse.size");
  if (map === undefined && records.get("GNU.sparse.numblocks") !== "0") return undefined;
  if (size === undefined) throw invalidLayer("its sparse map has no size");
  const extents = map === undefined ? [] : map.split(",").map((number) => parseDecimal(number, "count"));
  checkCount(extents.length / 2, limits);
  return { extents, realBytes: parseDecimal(size, "count") };
}

/** True where the map stands at the start of the data (form 1.0). */
export function isSparseInData(records: PaxRecords): boolean {
  return records.get("GNU.sparse.major") === "1" && records.get("GNU.sparse.minor") === "0";
}

/** The whole length of a file whose map stands in its data. */
export function realBytesOf(records: PaxRecords): number {
  const size = records.get("GNU.sparse.realsize") ?? records.get("GNU.sparse.size");
  if (size === undefined) throw invalidLayer("its sparse map has no size");
  return parseDecimal(size, "count");
}

/** Reads form 1.0 as its blocks come: decimal numbers in lines, the count first, filled up to a block. */
export function createSparseReader(limits: LayerLimits): (block: Buffer) => readonly number[] | undefined {
  const numbers: number[] = [];
  let count = -1;
  let digits = "";
  return (block) => {
    for (const byte of block) {
      if (byte === 0x0a) {
        const number = parseDecimal(digits, "count");
        digits = "";
        if (count < 0) checkCount((count = number), limits);
        else numbers.push(number);
        if (numbers.length === 2 * count) return numbers;
      } else {
        digits += String.fromCharCode(byte);
        if (digits.length > 20) throw invalidLayer("its sparse map is damaged");
      }
    }
    return undefined;
  };
}

/** Checks a map against the bytes that the archive holds for the file; throws IMAGE_INVALID. */
export function checkSparse(map: SparseMap, storedBytes: number): SparseMap {
  const { extents, realBytes } = map;
  let end = 0;
  let sum = 0;
  if (extents.length % 2 !== 0 || realBytes < 0) throw invalidLayer("its sparse map is damaged");
  for (let at = 0; at < extents.length; at += 2) {
    const offset = extents[at] ?? 0;
    const length = extents[at + 1] ?? 0;
    if (offset < end || length < 0 || offset + length > realBytes)
      throw invalidLayer("the parts in its sparse map overlap or lie beyond its end");
    end = offset + length;
    sum += length;
  }
  if (sum !== storedBytes) throw invalidLayer("its sparse map does not fit the size of its data");
  return map;
}

function pushOld(block: Buffer, offset: number, most: number, extents: number[]): void {
  for (let index = 0; index < most; index++) {
    const at = offset + index * 24;
    // An entry whose length field is not filled in ends the list.
    if (block[at + 12] === 0) return;
    extents.push(parseTarNumber(block, at, 12), parseTarNumber(block, at + 12, 12));
  }
}

function checkCount(count: number, limits: LayerLimits): void {
  if (count > limits.maxSparseExtents)
    throw overLimit(`its sparse map has more than ${limits.maxSparseExtents} parts`, "maxSparseExtents");
}
