import type { MaybePromise } from "#catalog";

/** What the server knows of the other end of a request. */
export interface Peer {
  /** Address of the client (behind a trusted proxy: the one that the proxy names), for throttling. */
  readonly address: string;
  /** The client speaks TLS (to us, or to a trusted proxy that says so). */
  readonly secure: boolean;
  /**
   * `scheme://host[:port]` as the client called it, where the server knows better than the Host header: behind a trusted proxy.
   * undefined: scheme from `secure`, host from the Host header.
   */
  readonly origin?: string;
}

export interface RegistryLimits {
  /** Largest blob, bytes. */
  readonly maxBlobBytes: number;
  /** Bodies up to this announced length are read into memory and hashed there. */
  readonly maxMemoryBodyBytes: number;
  /** Blobs up to this size live in the catalog, without a file. */
  readonly maxInlineBlobBytes: number;
  /** Uploads that receive bytes at the same time in this process; more are answered BUSY. */
  readonly maxActiveUploads: number;
  /** Uploads untouched for so long vanish. */
  readonly uploadLifeSeconds: number;
  /** A request for what the registry is making of an image waits so long for it; then its client is told to come again. */
  readonly conversionWaitSeconds: number;
  /** Bytes of remembered answers. */
  readonly maxAnswerBytes: number;
}

/** The OCI distribution server: answers everything under `/v2/`, the token endpoint `/v2/token` too. Never throws, never rejects. */
export interface Registry {
  fetch(request: Request, peer: Peer): MaybePromise<Response>;
}
