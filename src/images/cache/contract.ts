import type { Context } from "#core";

/** A blob by what it is. */
export interface BlobAddress {
  readonly digest: string;
  readonly sizeBytes: number;
}

/** Somewhere a blob can be had from: a registry, a mirror of it, an address in the manifest. */
export interface BlobOrigin {
  /**
   * The bytes of the stretch; of the whole blob (`from` 0, `to` its size) where it knows no ranges. undefined where it does not have the blob. Not checked
   * against the digest; its pieces are the reader's to keep. Throws what asking throws.
   */
  open(
    context: Context,
    wanted: BlobAddress & { readonly offset: number; readonly lengthBytes: number },
  ): Promise<OriginStretch | undefined>;
}

export interface OriginStretch {
  readonly from: number;
  readonly to: number;
  readonly body: AsyncIterable<Uint8Array>;
}
