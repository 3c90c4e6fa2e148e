/** An object of the store: bytes that never change once they are kept. The name is the store's own; a catalog row maps a digest to it. */
export interface StoredObject {
  readonly kind: "object";
  readonly name: string;
  readonly sizeBytes: number;
}

/** Bytes so few that they are better kept in the catalog's row than in an object. */
export interface InlineBytes {
  readonly kind: "inline";
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** What an upload holds so far. */
export interface UploadStatus {
  readonly receivedBytes: number;
}

export type DigestAlgorithm = "sha256" | "sha512";

export interface AppendOptions {
  /** The upload may hold so many bytes at most (TOO_LARGE, and the upload is gone), told while a body of unknown length still comes: its connection must end then. */
  readonly maxBytes: number;
  /** Which digest will be asked for, where that is known; a wrong guess costs a second reading at the end. */
  readonly algorithm?: DigestAlgorithm;
  /** The upload must hold exactly so many bytes before this body (RANGE_INVALID, and the body is not read). */
  readonly startBytes?: number;
}

/** A blob that is made here, written by position because its header comes last. One call at a time. */
export interface PositionalUpload {
  write(offset: number, bytes: Uint8Array): Promise<void>;
  /** Cuts to `sizeBytes`, makes that durable and keeps it as an object; gives its sha256 digest. */
  finish(sizeBytes: number): Promise<{ readonly digest: string; readonly object: StoredObject }>;
  /** Leaves nothing behind. Safe after `finish`. */
  abort(): Promise<void>;
}

/**
 * The bytes of blobs: a folder here, S3 later. Knows digests only to compute them; who may read what is decided elsewhere.
 * Upload ids are `[A-Za-z0-9_-]{1,128}`; an id that was not heard of is an empty upload only for `append`.
 * One request at a time may work on an upload, in all processes together: CONFLICT for the others.
 * Errors: STORAGE_FULL, STORAGE_FAILED, UPLOAD_UNKNOWN, RANGE_INVALID, DIGEST_INVALID, TOO_LARGE, CONFLICT, INTERRUPTED (the sender went away).
 */
export interface BlobStore {
  /** Chunks smaller than this are not taken (S3's parts); 0 where any size will do. */
  readonly minChunkBytes: number;
  /**
   * Appends a request's body to an upload (made on first use), hashing while it arrives. Resolves with what the upload holds,
   * once the system has it (not yet durable). A body cut off keeps what arrived and rejects; one that fills the disk takes the upload
   * with it (STORAGE_FULL), so that others have room.
   */
  append(uploadId: string, body: Request, options: AppendOptions): Promise<UploadStatus>;
  /** undefined when there is no such upload. Works after a restart. */
  status(uploadId: string): Promise<UploadStatus | undefined>;
  /**
   * Checks the digest (`sha256:…`, `sha512:…`), makes the bytes durable (file fsync, rename, folder fsync) and keeps them: as an object,
   * or given back where they are at most `inlineBytes`. The upload is gone afterwards; with a wrong digest (DIGEST_INVALID) too.
   */
  finish(
    uploadId: string,
    digest: string,
    options: { readonly inlineBytes: number },
  ): Promise<StoredObject | InlineBytes>;
  /** Begins a blob that is written by position; what an upload of this id holds is forgotten. CONFLICT while another process has it. */
  create(uploadId: string): Promise<PositionalUpload>;
  /** Keeps bytes at hand, whose digest the caller has checked, as durably as `finish`. */
  keep(bytes: Uint8Array, digest: string): Promise<StoredObject>;
  /** Drops an upload; no error when there is none. */
  cancel(uploadId: string): Promise<void>;
  /** A response body for an object or a slice of it (`end` exclusive), by sendfile where the machine can. */
  open(object: { readonly name: string }, start?: number, end?: number): Blob;
  /** Are the bytes of an object there: false when somebody took them away behind the catalog's back. One look at the store. */
  has(object: { readonly name: string }): boolean | Promise<boolean>;
  /** Removes an object; no error when it is gone. */
  remove(name: string): Promise<void>;
  /** Drops uploads untouched since `before`, no more than `most`; gives how many went. */
  expireUploads(before: Date, most: number): Promise<number>;
  close(): Promise<void>;
}
