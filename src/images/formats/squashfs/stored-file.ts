/** Of a file without a piece of a fragment block. */
export const NO_FRAGMENT = 0xffff_ffff;

/** Where a file's bytes are in the squashfs. Files with the same bytes share one. */
export interface StoredFile {
  readonly sizeBytes: number;
  /** Of the first block, from the superblock. */
  startBytes: number;
  /** On-disk size words of the blocks, the last one short; 0 for a block of zeros. */
  blockSizes: Uint32Array;
  fragment: number;
  fragmentOffset: number;
  /** In blocks of zeros, which take no room. */
  holeBytes: number;
}

/** One for all small files: hundreds of thousands of them would be memory for nothing. */
const NO_BLOCKS = new Uint32Array(0);

export function storedFile(sizeBytes: number): StoredFile {
  return {
    sizeBytes,
    startBytes: 0,
    blockSizes: NO_BLOCKS,
    fragment: NO_FRAGMENT,
    fragmentOffset: 0,
    holeBytes: 0,
  };
}

/** A file without content. */
export const EMPTY_FILE: StoredFile = Object.freeze(storedFile(0));
