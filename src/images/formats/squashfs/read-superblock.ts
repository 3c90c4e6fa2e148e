import { AppError, type Context } from "#core";
import type { ByteSource } from "../../contract.ts";
import { readStretch } from "../../read-stretch.ts";
import { SUPERBLOCK_BYTES } from "./superblock.ts";

/** What a squashfs says of itself, whoever made it. */
export interface SquashfsFacts {
  /** The number, for one that is not known. */
  readonly compression: string | number;
  readonly blockBytes: number;
  readonly inodes: number;
  /** When it was made, in seconds; 0 where it does not say. */
  readonly madeAtSeconds: number;
  /** Without the padding. */
  readonly usedBytes: number;
}

const COMPRESSIONS: readonly string[] = ["", "gzip", "lzma", "lzo", "xz", "lz4", "zstd"];

/** True for the first bytes of a squashfs. */
export function isSquashfs(start: Uint8Array): boolean {
  return Buffer.from(start.subarray(0, 4)).toString("latin1") === "hsqs";
}

/** Reads the superblock of the squashfs that begins at `offset`. Throws FILE_INVALID where none does, or one that nobody reads any more. */
export async function readSuperblock(
  source: ByteSource,
  offset: number,
  context: Context,
): Promise<SquashfsFacts> {
  if (source.sizeBytes < offset + SUPERBLOCK_BYTES) throw invalid("it is too short");
  const bytes = Buffer.from(await readStretch(source, offset, SUPERBLOCK_BYTES, context));
  if (!isSquashfs(bytes)) throw invalid("it does not begin as one");
  const [major, minor] = [bytes.readUInt16LE(28), bytes.readUInt16LE(30)];
  if (major !== 4) throw invalid(`its version is ${major}.${minor}`);
  const usedBytes = Number(bytes.readBigUInt64LE(40));
  if (usedBytes > source.sizeBytes - offset) throw invalid("it is cut short");
  const compression = bytes.readUInt16LE(20);
  return {
    compression: COMPRESSIONS[compression] || compression,
    blockBytes: bytes.readUInt32LE(12),
    inodes: bytes.readUInt32LE(4),
    madeAtSeconds: bytes.readUInt32LE(8),
    usedBytes,
  };
}

function invalid(why: string): AppError {
  return new AppError("FILE_INVALID", `this is no squashfs that can be read: ${why}`);
}
