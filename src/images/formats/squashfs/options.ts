import { AppError } from "#core";
import type { BlockCodec } from "#system";

/** How a squashfs is made. The same options and the same tree give the same bytes, whatever `workers` is. */
export interface SquashfsOptions {
  readonly codec: BlockCodec;
  /** Of data blocks: a power of two from 4 KiB to 1 MiB; 128 KiB unless said. */
  readonly blockBytes?: number;
  /** Where in the sink the squashfs begins; 0 unless said. What lies before is not touched. */
  readonly offsetBytes?: number;
  /** Everything belongs to user and group 0. */
  readonly allRoot?: boolean;
  /** Times of files later than this become this (SOURCE_DATE_EPOCH); seconds. */
  readonly latestMtimeSeconds?: number;
  /** When the image was made, for the superblock; seconds, 0 unless said. */
  readonly madeAtSeconds?: number;
  /** Extended attributes are kept unless this is false. */
  readonly xattrs?: boolean;
  /** Device nodes are kept; left out unless said. */
  readonly preserveDevices?: boolean;
  /** Threads that compress; as many as the machine has cores, 8 at most, unless said. */
  readonly workers?: number;
}

export const DEFAULT_BLOCK_BYTES = 128 * 1024;

/** One stream of a layer is decoded at about 350 MB/s: more threads than this would wait for it, and cost memory each. */
export const MAX_WORKERS = 8;

/** Throws INVALID_INPUT for what squashfs cannot have. */
export function checkOptions(options: SquashfsOptions): void {
  const { blockBytes = DEFAULT_BLOCK_BYTES, offsetBytes = 0, codec, workers = 1 } = options;
  if (!Number.isInteger(Math.log2(blockBytes)) || blockBytes < 4096 || blockBytes > 1024 * 1024)
    throw invalid(`squashfs blocks are a power of two from 4096 to 1048576 bytes, not ${blockBytes}`);
  if (!Number.isSafeInteger(offsetBytes) || offsetBytes < 0)
    throw invalid(`a squashfs cannot begin at byte ${offsetBytes}`);
  if (!Number.isInteger(workers) || workers < 1) throw invalid(`${workers} threads cannot compress`);
  const most = { gzip: 9, zstd: 22, none: 0 }[codec.name];
  if (codec.name !== "none" && !(Number.isInteger(codec.level) && codec.level >= 1 && codec.level <= most))
    throw invalid(`${codec.name} has levels 1 to ${most}, not ${codec.level}`);
}

function invalid(why: string): AppError {
  return new AppError("INVALID_INPUT", why);
}
