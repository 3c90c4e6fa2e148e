/** What a layer may ask of us. Every number can be given anew; a breach is TOO_LARGE and names the limit. */
export interface LayerLimits {
  /** Entries of one layer, whiteouts included. */
  readonly maxEntries: number;
  /** Bytes of a path (Linux: PATH_MAX), and of a symlink's target. */
  readonly maxPathBytes: number;
  /** Bytes of one component of a path (Linux: NAME_MAX). */
  readonly maxNameBytes: number;
  /** Components of a path. */
  readonly maxDepth: number;
  /** Bytes of one PAX header, GNU long name or long link. */
  readonly maxHeaderBytes: number;
  /** Bytes of one extended attribute's value (Linux: XATTR_SIZE_MAX). */
  readonly maxXattrBytes: number;
  /** Stretches of data in one sparse file. */
  readonly maxSparseExtents: number;
  /** Bytes of all names, targets and extended attributes of a layer, with something for each entry: they are held in memory. */
  readonly maxIndexBytes: number;
  /** Bytes of the uncompressed layer, and of its files after sparse expansion. */
  readonly maxLayerBytes: number;
  /** Uncompressed bytes for each compressed one, once `ratioFreeBytes` are out: gzip cannot do more than 1,032. */
  readonly maxRatio: number;
  readonly ratioFreeBytes: number;
}

export const defaultLayerLimits: LayerLimits = {
  maxEntries: 4_000_000,
  maxPathBytes: 4096,
  maxNameBytes: 255,
  maxDepth: 512,
  maxHeaderBytes: 1024 * 1024,
  maxXattrBytes: 64 * 1024,
  maxSparseExtents: 1_000_000,
  maxIndexBytes: 1024 ** 3,
  maxLayerBytes: 256 * 1024 ** 3,
  maxRatio: 2000,
  ratioFreeBytes: 4 * 1024 ** 3,
};
