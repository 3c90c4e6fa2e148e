/** An object of the store: bytes that never change once they are kept. The name is the store's own; a catalog row maps a digest to it. */
export interface StoredObject {
  readonly name: string;
  readonly sizeBytes: number;
}

/** What an upload holds so far. */
export interface UploadStatus {
  readonly receivedBytes: number;
}

/**
 * The bytes of blobs: a folder here, S3 later. Knows digests only to compute them; who may read what is decided elsewhere.
 * Errors: STORAGE_FULL, STORAGE_FAILED, UPLOAD_UNKNOWN, RANGE_INVALID, DIGEST_INVALID.
 */
export interface BlobStore {
  /**
   * Appends a request's body to an upload (made on first use), hashing while it arrives. Resolves with what the upload holds,
   * once the system has it (not yet durable). A body cut off keeps what arrived and rejects.
   */
  append(uploadId: string, body: Request, limits: { readonly maxBytes: number }): Promise<UploadStatus>;
  /** undefined when there is no such upload. Works after a restart. */
  status(uploadId: string): Promise<UploadStatus | undefined>;
  /**
   * Checks the digest, makes the bytes durable (file fsync, rename, folder fsync) and keeps them. The upload is gone afterwards;
   * with a wrong digest (DIGEST_INVALID) too.
   */
  finish(uploadId: string, digest: string): Promise<StoredObject>;
  /** Drops an upload; no error when there is none. */
  cancel(uploadId: string): Promise<void>;
  /** A response body for an object or a slice of it (`end` exclusive), by sendfile where the machine can. */
  open(object: StoredObject, start?: number, end?: number): Blob;
  /** Removes an object; no error when it is gone. */
  remove(name: string): Promise<void>;
  close(): Promise<void>;
}
